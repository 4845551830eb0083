"""Every snippet of the page that genflow grew from works as written."""

from __future__ import annotations

import base64
import inspect
import json
import sys
from types import ModuleType

import pytest

from genflow import Activity, ActivityProxy, SuspendTask, Workflow, WorkflowProxy
from genflow.swf.boilerplate import (
    async_scheduler,
    start_activity_worker,
    start_workflow_worker,
    workflow_starter,
)
from genflow.swf.client.handles import Client
from genflow.swf.scanner import activity, workflow


@pytest.fixture
def module():
    """A module that a snippet is run in, so that scanning finds just what the snippet defines."""
    made = []

    def run(source):
        module = ModuleType(f'snippet_{len(made)}')
        sys.modules[module.__name__] = module
        made.append(module)
        exec(compile(inspect.cleandoc(source), f'<{module.__name__}>', 'exec'), module.__dict__)  # noqa: S102 - a snippet is code
        return module

    yield run
    for each in made:
        del sys.modules[each.__name__]


def work(swf, module, task_list, rounds):
    for _ in range(rounds):
        start_workflow_worker('d', task_list, swf, loop=2, package=module)
        start_activity_worker('d', task_list, swf, loop=4, package=module)


ECHO = """
    from genflow import Activity
    from genflow.swf.scanner import activity

    @activity(name='Echo', version='v1', task_list='echo')
    class Echo(Activity):
        def run(self, value):
            return value
"""


def test_an_activity_echoes(swf, module):
    echo = module(ECHO)
    flow = module("""
        from genflow import ActivityProxy, Workflow
        from genflow.swf.scanner import workflow

        @workflow(name='EchoOnce', version=1, task_list='echo')
        class EchoOnce(Workflow):
            echo = ActivityProxy(name='Echo', version='v1')

            def run(self, value):
                said = yield self.echo(value)
                return said
    """)
    start_workflow_worker('d', 'echo', swf, loop=0, package=flow)
    start_activity_worker('d', 'echo', swf, loop=0, package=echo)
    started = workflow_starter('d', 'EchoOnce', 1, layer1=swf)('hello')
    work(swf, [echo, flow], 'echo', 2)
    assert Client('d', swf).execution(started.workflow_id, started.run_id).result() == 'hello'


def test_a_run_without_yield_calls_proxies_too(swf, module):
    """The page's own MyWorkflow: both calls are made, and the execution waits for them before it completes."""
    found = module("""
        from genflow import Activity, ActivityProxy, Workflow, WorkflowProxy
        from genflow.swf.scanner import activity, workflow

        @activity(name='Identity', version=1, task_list='my_tasks')
        class Identity(Activity):
            def run(self, n):
                return n

        @workflow(name='Child', version=2, task_list='my_tasks')
        class Child(Workflow):
            def run(self, n):
                return n + 1

        @workflow(name='MyWorkflow', version=3, task_list='my_tasks')
        class MyWorkflow(Workflow):
            a = ActivityProxy(name='Identity', version=1, heartbeat=5)
            b = WorkflowProxy(name='Child', version=2, workflow_duration=30)

            def run(self, n):
                self.a(n)
                self.b(n)
                return n
    """)
    start_workflow_worker('d', 'my_tasks', swf, loop=0, package=found)
    start_activity_worker('d', 'my_tasks', swf, loop=0, package=found)
    started = workflow_starter('d', 'MyWorkflow', 3, layer1=swf)(7)
    work(swf, found, 'my_tasks', 4)
    execution = Client('d', swf).execution(started.workflow_id, started.run_id)
    assert execution.result() == 7
    kinds = [event['eventType'] for event in execution.history()]
    assert {'ActivityTaskCompleted', 'ChildWorkflowExecutionCompleted'} <= set(kinds[:-1])


def test_the_transport_is_overridden_on_the_workflow(swf, module):
    found = module("""
        import base64, json
        from genflow import Workflow
        from genflow.swf.scanner import workflow

        @workflow(name='Packed', version=1, task_list='packed')
        class Packed(Workflow):
            def _deserialize_arguments(self, input):
                return json.loads(base64.b64decode(input)), {}

            def _serialize_restart_arguments(self, *args):
                return base64.b64encode(json.dumps(args).encode()).decode()

            def _serialize_result(self, value):
                return f'<{value}>'

            def run(self, rounds, total):
                if rounds == 0:
                    return total
                return self.restart(rounds - 1, total + rounds)
    """)
    start_workflow_worker('d', 'packed', swf, loop=0, package=found)
    starter = workflow_starter('d', 'Packed', 1, layer1=swf)
    started = starter.start(base64.b64encode(json.dumps([2, 0]).encode()).decode())
    start_workflow_worker('d', 'packed', swf, loop=5, package=found)
    handle = Client('d', swf).execution(started.workflow_id)
    last = handle.history()[-1]['workflowExecutionCompletedEventAttributes']
    assert last['result'] == '<3>'


def test_the_transport_is_overridden_on_a_proxy(swf, module):
    found = module("""
        from genflow import Activity, ActivityProxy, Workflow
        from genflow.swf.scanner import activity, workflow

        class Upper(ActivityProxy):
            def _serialize_arguments(self, value):
                return value

            def _deserialize_result(self, text):
                return text.upper()

        @activity(name='Plain', version=1, task_list='plain')
        class Plain(Activity):
            def _deserialize_arguments(self, input):
                return [input], {}

            def _serialize_result(self, value):
                return value

            def run(self, text):
                return text + '!'

        @workflow(name='Shout', version=1, task_list='plain')
        class Shout(Workflow):
            plain = Upper(name='Plain', version=1)

            def run(self):
                return (yield self.plain('hey'))
    """)
    start_workflow_worker('d', 'plain', swf, loop=0, package=found)
    start_activity_worker('d', 'plain', swf, loop=0, package=found)
    started = workflow_starter('d', 'Shout', 1, layer1=swf)()
    work(swf, found, 'plain', 2)
    assert Client('d', swf).execution(started.workflow_id).result() == 'HEY!'


def test_an_activity_leaves_its_worker_and_is_answered_by_token(swf, module):
    found = module("""
        from genflow import Activity, ActivityProxy, SuspendTask, Workflow
        from genflow.swf.scanner import activity, workflow

        tokens = []

        @activity(name='Asks', version=1, task_list='asks', heartbeat=30)
        class Asks(Activity):
            def run(self):
                tokens.append(self.token)
                raise SuspendTask()

        @workflow(name='AsksPeople', version=1, task_list='asks')
        class AsksPeople(Workflow):
            asks = ActivityProxy(name='Asks', version=1, retry=0)

            def run(self):
                return (yield self.asks())
    """)
    start_workflow_worker('d', 'asks', swf, loop=0, package=found)
    start_activity_worker('d', 'asks', swf, loop=0, package=found)
    started = workflow_starter('d', 'AsksPeople', 1, layer1=swf)()
    work(swf, found, 'asks', 1)
    scheduler = async_scheduler('d', swf)
    (token,) = found.tokens
    assert scheduler.heartbeat(token)
    assert scheduler.complete(token, ['yes'])
    assert not scheduler.heartbeat(token)
    assert not scheduler.complete(token, ['again'])
    assert not scheduler.fail(token, 'too late')
    work(swf, found, 'asks', 1)
    assert Client('d', swf).execution(started.workflow_id).result() == ['yes']


def test_a_starter_names_and_tags_executions(swf, module):
    found = module("""
        from genflow import Workflow
        from genflow.swf.scanner import workflow

        @workflow(name='Nothing', version=1, task_list='nothing')
        class Nothing(Workflow):
            def run(self):
                return None
    """)
    start_workflow_worker('d', 'nothing', swf, loop=0, package=found)
    starter = workflow_starter('d', 'Nothing', 1, 'other', 20, 600, swf)
    with starter.id('order-7'), starter.tags('gold', 'express'):
        started = starter()
    assert started.workflow_id == 'order-7'
    execution = {'workflowId': 'order-7', 'runId': started.run_id}
    described = swf.describe_workflow_execution(domain='d', execution=execution)
    assert described['executionInfo']['tagList'] == ['gold', 'express']
    configuration = described['executionConfiguration']
    assert configuration['taskList'] == {'name': 'other'}
    assert configuration['taskStartToCloseTimeout'] == '20'
    assert configuration['executionStartToCloseTimeout'] == '600'
    assert starter().workflow_id != 'order-7'


def test_the_calling_module_is_scanned_where_no_package_is_named(swf, module):
    found = module("""
        from genflow import Workflow
        from genflow.swf.boilerplate import start_workflow_worker
        from genflow.swf.scanner import workflow

        @workflow(name='Here', version=1, task_list='here')
        class Here(Workflow):
            def run(self):
                return 'here'

        def work(layer1, loop):
            start_workflow_worker('d', 'here', layer1, loop=loop)
    """)
    found.work(swf, 0)
    started = workflow_starter('d', 'Here', 1, layer1=swf)()
    found.work(swf, 1)
    assert Client('d', swf).execution(started.workflow_id).result() == 'here'


SIGNATURES = {
    activity: (
        '(name, version, task_list, heartbeat=None, schedule_to_close=420, schedule_to_start=120, start_to_close=300)'
    ),
    workflow: '(name, version, task_list, workflow_duration=3600, decision_duration=60)',
    start_workflow_worker: '(domain, task_list, layer1=None, reg_remote=True, loop=-1, package=None, ignore=None)',
    start_activity_worker: '(domain, task_list, layer1=None, reg_remote=True, loop=-1, package=None, ignore=None)',
    workflow_starter: (
        '(domain, name, version, task_list=None, decision_duration=None, workflow_duration=None, layer1=None)'
    ),
    async_scheduler: '(domain, layer1=None)',
    ActivityProxy: (
        '(name, version, heartbeat=None, schedule_to_close=None, schedule_to_start=None, start_to_close=None, '
        'task_list=None, retry=3, delay=0, error_handling=False)'
    ),
    WorkflowProxy: (
        '(name, version, decision_duration=None, workflow_duration=None, task_list=None, retry=3, delay=0, '
        'error_handling=False)'
    ),
}


@pytest.mark.parametrize(('function', 'expected'), SIGNATURES.items(), ids=lambda each: getattr(each, '__name__', ''))
def test_the_signatures_are_as_they_were_and_new_arguments_are_keywords(function, expected):
    parameters = inspect.signature(function).parameters.values()
    old = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in parameters
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    assert str(inspect.Signature(old)) == expected


def test_the_names_of_the_page_can_be_imported():
    assert issubclass(SuspendTask, BaseException)
    assert callable(Activity.heartbeat)
    assert callable(Workflow.run)
