"""Whatever an activity does becomes an outcome."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from genflow import Activity, StopActivity, SuspendTask
from genflow.core.authoring.activity import ActivityInfo
from genflow.core.model.registry import ActivitySpec
from genflow.core.payloads.failures import decode_failure
from genflow.swf.tasks.respond import Canceled, Completed, Failed, Suspended
from genflow.swf.worker.performing import run_activity


class Context:
    info = ActivityInfo('7.2', 'A', '1', 'w', 'r', 2, lambda: 'half way')
    token = 'the-token'  # noqa: S105 - no password

    def heartbeat(self, details):
        return True


def outcome(run, input='[[],{}]', create=lambda cls: cls(), **members):
    cls = type('Deed', (Activity,), {'run': run, **members})
    return run_activity(ActivitySpec(cls, 'A', '1'), input, Context(), create)


def test_a_result_is_serialized():
    assert outcome(lambda self, a, b: {'sum': a + b}, '[[1],{"b":2}]') == Completed('{"sum":3}')


def test_no_input_is_no_arguments():
    assert outcome(lambda self: None, None) == Completed('null')


def test_the_activity_knows_its_task():
    def run(self):
        return [self.token, self.info.attempt, self.idempotency_key, self.info.last_heartbeat]

    assert json.loads(outcome(run).result) == ['the-token', 2, 'r:7', 'half way']


def test_what_is_raised_fails_with_the_users_frames_only():
    def run(self):
        raise LookupError('no such order')

    failed = outcome(run)
    assert failed.reason == 'LookupError: no such order'
    failure = decode_failure(failed.reason, failed.details)
    assert failure.names[0] == 'builtins.LookupError'
    assert failure.args == ('no such order',)
    assert 'test_performing.py' in failure.traceback
    assert 'genflow/swf' not in failure.traceback


@pytest.mark.parametrize('length', [300, 100_000])
def test_long_reasons_and_details_are_cut(length):
    def run(self):
        raise ValueError('é' * length)

    failed = outcome(run)
    assert len(failed.reason) == 256
    assert len(failed.details) <= 32_768


def test_an_interrupt_on_a_workers_thread_is_a_failure_and_in_a_test_stays_one():
    def run(self):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcome(run)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(outcome, run).result().reason == 'KeyboardInterrupt'


@pytest.mark.parametrize('details', [{'done': 1}, 7, b'half', ['a']])
def test_the_details_of_a_heartbeat_are_text(details):
    failed = outcome(lambda self: self.heartbeat(details))
    assert failed.reason.startswith(f'TypeError: the details of a heartbeat are text, and {details!r} is a ')


def test_leaving_the_interpreter_is_a_failure_too():
    assert outcome(lambda self: sys.exit(3)).reason == 'SystemExit: 3'


def test_stopping_answers_as_canceled():
    def run(self):
        raise StopActivity('tidied up')

    assert outcome(run) == Canceled('tidied up')


def test_suspending_answers_nothing():
    def run(self):
        raise SuspendTask

    assert outcome(run) == Suspended()


@pytest.mark.parametrize('input', ['no json', '{"a": 1', '7', '"text"'])
def test_an_input_that_cannot_be_read_is_shown(input):
    failed = outcome(lambda self: None, input)
    assert isinstance(failed, Failed)
    assert failed.reason.startswith(f'BadInput: the input of Deed cannot be read: {input!r}')


@pytest.mark.parametrize('input', ['[[],{}]', '[[1,2,3],{}]', '[[1],{"c":1}]'])
def test_arguments_that_do_not_fit_are_named(input):
    failed = outcome(lambda self, a, b: None, input)
    assert failed.reason.startswith('BadInput: the arguments do not fit Deed.run(a, b): ')


class Wrapped:
    """What an application may make instead of an activity: it passes everything on."""

    def __init__(self, activity):
        self.activity = activity

    def __getattr__(self, name):
        return getattr(self.activity, name)


def with_run(run):
    def create(cls):
        activity = cls()
        activity.run = run
        return activity

    return create


@pytest.mark.parametrize(
    ('run', 'create'),
    [
        (staticmethod(lambda a, b: [a, b]), lambda cls: cls()),
        (classmethod(lambda cls, a, b: [a, b]), lambda cls: cls()),
        (lambda self, a, b: [a, b], lambda cls: Wrapped(cls())),
        (lambda self, a: None, with_run(lambda a, b: [a, b])),
        (lambda self, key, a, b: None, with_run(partial(lambda key, a, b: [a, b], 'key'))),
    ],
    ids=['static', 'class', 'wrapped', 'replaced', 'partial'],
)
def test_whatever_run_is_it_is_asked_what_it_takes(run, create):
    assert outcome(run, '[[1],{"b":2}]', create) == Completed('[1,2]')
    assert outcome(run, '[[1,2,3],{}]', create).reason.startswith('BadInput: the arguments do not fit ')


def test_a_result_that_is_too_long_fails():
    assert outcome(lambda self: 'x' * 32_766).result == '"' + 'x' * 32_766 + '"'
    assert outcome(lambda self: 'x' * 32_767).reason == (
        'PayloadTooLarge: the result of the activity A 1 has 32,769 characters, SWF takes 32,768; return a '
        'reference to the data instead, or give the class a transport that does'
    )


def test_a_result_that_json_cannot_hold_is_named():
    reason = outcome(lambda self: [object()]).reason
    assert reason.startswith('TypeError: the result of the activity A 1, a list, cannot be serialized: ')


def test_a_result_that_is_no_json_fails():
    assert outcome(lambda self: object()).reason.startswith('TypeError: ')


def test_a_serializer_that_gives_no_text_fails():
    failed = outcome(lambda self: 1, _serialize_result=lambda self, value: value)
    assert failed.reason == 'TypeError: _serialize_result() of the activity A 1 gave int, expected str'


def test_instances_are_made_as_the_worker_was_told():
    def create(cls):
        made = cls()
        made.database = 'the database'
        return made

    assert outcome(lambda self: self.database, create=create) == Completed('"the database"')
