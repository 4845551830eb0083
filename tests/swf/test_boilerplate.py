"""The single-threaded loops: they count polls, register or not, and survive what one task does."""

from __future__ import annotations

import logging
import sys
from types import ModuleType

import pytest
from botocore.exceptions import ClientError

from genflow import Activity, ActivityProxy, Workflow
from genflow.core.errors import DefinitionError, RegistrationError
from genflow.swf.boilerplate import start_activity_worker, start_workflow_worker, workflow_starter
from genflow.swf.scanner import activity, workflow
from tests.swf.scripted import refusal, unreachable


class Counting:
    """The service; counts calls by operation, and fails those that it is told to."""

    def __init__(self, swf, failing=()):
        self.swf = swf
        self.calls = []
        self.failing = list(failing)

    def __getattr__(self, name):
        method = getattr(self.swf, name)

        def call(**request):
            self.calls.append(name)
            if self.failing and name.startswith('poll_'):
                raise self.failing.pop(0)
            return method(**request)

        return call


@pytest.fixture
def module():
    made = ModuleType('boilerplate_module')
    sys.modules[made.__name__] = made
    made.__dict__.update(
        Activity=Activity, ActivityProxy=ActivityProxy, Workflow=Workflow, activity=activity, workflow=workflow
    )
    source = """
@activity('Greet', 1, 'tl')
class Greet(Activity):
    def run(self, name):
        return f'{self.greeting} {name}'

@workflow('Greeting', 1, 'tl')
class Greeting(Workflow):
    greet = ActivityProxy('Greet', 1)
    elsewhere = ActivityProxy('Elsewhere', 2)

    def run(self, name):
        return (yield self.greet(name))
"""
    exec(source, made.__dict__)  # noqa: S102 - a module like any other, made here
    yield made
    del sys.modules[made.__name__]


@pytest.mark.parametrize(
    ('start', 'operation'),
    [(start_workflow_worker, 'poll_for_decision_task'), (start_activity_worker, 'poll_for_activity_task')],
)
def test_loop_counts_polls(start, operation, swf, module):
    client = Counting(swf)
    start('d', 'tl', client, reg_remote=False, loop=3, package=module)
    assert client.calls == [operation] * 3


def test_each_loop_registers_its_own_kind(swf, module):
    client = Counting(swf)
    start_workflow_worker('d', 'tl', client, loop=0, package=module)
    assert client.calls == ['register_workflow_type']
    start_activity_worker('d', 'tl', client, loop=0, package=module)
    assert client.calls[1:] == ['register_activity_type']


def test_it_loops_until_it_is_interrupted(swf, module):
    client = Counting(swf, [KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        start_activity_worker('d', 'tl', client, package=module)


def test_activities_are_made_as_configured(swf, module):
    def create(cls):
        made = cls()
        made.greeting = 'hello'
        return made

    start_workflow_worker('d', 'tl', swf, loop=0, package=module)
    start_activity_worker('d', 'tl', swf, loop=0, package=module)
    started = workflow_starter('d', 'Greeting', 1, layer1=swf)('you')
    start_workflow_worker('d', 'tl', swf, loop=1, package=module)
    start_activity_worker('d', 'tl', swf, loop=1, package=module, create=create)
    start_workflow_worker('d', 'tl', swf, loop=1, package=module)
    execution = {'workflowId': started.workflow_id, 'runId': started.run_id}
    last = swf.get_workflow_execution_history(domain='d', execution=execution, reverseOrder=True)['events'][0]
    assert last['workflowExecutionCompletedEventAttributes']['result'] == '"hello you"'


def test_a_type_that_nobody_scanned_is_warned_of_once(swf, module, caplog):
    module.Greeting.again = ActivityProxy('Elsewhere', 2)
    start_workflow_worker('d', 'tl', swf, loop=2, package=module)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        'Greeting.elsewhere calls the activity type Elsewhere 2, for which no scanned class stands: scan the module '
        'that defines it, unless another worker has it'
    )


def test_an_outage_of_polls_is_a_line_when_it_begins_and_one_when_it_ends(swf, module, caplog):
    client = Counting(swf, [unreachable(), refusal('ServiceUnavailable', 503)])
    start_activity_worker('d', 'tl', client, reg_remote=False, loop=2, package=module)
    assert client.calls == ['poll_for_activity_task'] * 4
    assert len(caplog.records) == 2
    assert 'failed at' in caplog.records[0].getMessage()
    assert 'answers again after' in caplog.records[1].getMessage()


def test_a_domain_that_is_not_there_is_named(swf, module):
    with pytest.raises(RegistrationError, match='nowhere'):
        start_workflow_worker('nowhere', 'tl', swf, loop=1, package=module)
    with pytest.raises(ClientError, match='Unknown domain: nowhere'):
        start_activity_worker('nowhere', 'tl', swf, reg_remote=False, loop=1, package=module)


@pytest.mark.parametrize('wrong', ['', 'x' * 257])
def test_a_workflow_id_that_is_none_starts_nothing(swf, wrong):
    """An empty id once named a random execution, so that a second start of the same was no duplicate."""
    with pytest.raises(DefinitionError, match='1 to 256 characters'):
        workflow_starter('d', 'Greeting', 1, layer1=swf, workflow_id=wrong)
    starter = workflow_starter('d', 'Greeting', 1, layer1=swf)
    with pytest.raises(DefinitionError, match='1 to 256 characters'), starter.id(wrong):
        starter('you')
    assert not swf.list_open_workflow_executions(domain='d', startTimeFilter={'oldestDate': 0})['executionInfos']
