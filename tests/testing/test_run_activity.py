"""An activity alone: its result, its heartbeats, and how it stops."""

from __future__ import annotations

import pytest

from genflow import Activity, PayloadTooLarge, StopActivity, SuspendTask, activity
from genflow.testing import run_activity


@activity(name='Resize', version='2', task_list='images')
class Resize(Activity):
    def __init__(self, word='done'):
        self.word = word

    def run(self, url, steps=5):
        for step in range(steps):
            if not self.heartbeat(f'{step}'):
                return f'stopped at {step}'
        return self.word, url


def test_the_result_is_what_a_workflow_gets():
    ran = run_activity(Resize, 'u')
    assert ran.result == ['done', 'u']  # JSON has no tuples
    assert ran.heartbeats == ['0', '1', '2', '3', '4']
    assert not ran.canceled


def test_an_instance_is_run_as_it_is():
    assert run_activity(Resize('made'), 'u', steps=0).result == ['made', 'u']


def test_heartbeats_say_cancel_after_so_many():
    ran = run_activity(Resize, 'u', heartbeat_says_cancel_after=2)
    assert ran.result == 'stopped at 2'
    assert ran.heartbeats == ['0', '1', '2']


def test_an_activity_that_continues_is_stopped():
    class Deaf(Activity):
        def run(self):
            while True:
                self.heartbeat()

    ran = run_activity(Deaf, heartbeat_says_cancel_after=1)
    assert ran.canceled
    assert ran.heartbeats == [None, None, None]  # one is well, one is told, one is stopped


def test_an_activity_stops_or_suspends_itself():
    class Stops(Activity):
        def run(self):
            raise StopActivity('half done')

    class Suspends(Activity):
        def run(self):
            self.seen = self.token
            raise SuspendTask

    ran = run_activity(Stops)
    assert (ran.canceled, ran.details, ran.result) == (True, 'half done', None)
    made = Suspends()
    assert run_activity(made).suspended
    assert made.seen


def test_what_an_activity_raises_is_raised():
    class Broken(Activity):
        def run(self):
            raise LookupError('nobody')

    with pytest.raises(LookupError, match='nobody'):
        run_activity(Broken)


def test_an_activity_knows_its_task():
    class Curious(Activity):
        def run(self):
            info = self.info
            return [info.name, info.attempt, info.workflow_id, info.last_heartbeat, self.idempotency_key]

    ran = run_activity(Curious, attempt=3, workflow_id='order-7', run_id='r', last_heartbeat='page 4')
    assert ran.result == ['Curious', 3, 'order-7', 'page 4', 'r:1']


def test_values_travel_as_json():
    class Echo(Activity):
        def run(self, value):
            return value

    assert run_activity(Echo, ('a', {1: 2})).result == ['a', {'1': 2}]
    with pytest.raises(TypeError, match='object'):
        run_activity(Echo, object())


def test_details_of_a_heartbeat_have_swfs_limit():
    class Chatty(Activity):
        def run(self):
            self.heartbeat('x' * 2049)

    with pytest.raises(PayloadTooLarge, match='2,049'):
        run_activity(Chatty)


def test_the_details_of_a_heartbeat_are_text():
    class Beats(Activity):
        def run(self):
            self.heartbeat({'done': 1})

    with pytest.raises(TypeError, match=r"details of a heartbeat are text, and \{'done': 1\} is a dict"):
        run_activity(Beats)
    with pytest.raises(TypeError, match='a dict'):
        Beats().run()
