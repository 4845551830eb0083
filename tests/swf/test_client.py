"""Starting executions and talking to them, with no worker running."""

from __future__ import annotations

import pickle

import pytest
from botocore.exceptions import ClientError

from genflow import (
    Activity,
    ActivityProxy,
    AlreadyStarted,
    ChildCanceled,
    ChildFailed,
    ChildTerminated,
    ChildTimedOut,
    DefinitionError,
    PayloadTooLarge,
    Signal,
    SignalFailed,
    Workflow,
    query,
)
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import Connection
from genflow.swf.boilerplate import workflow_starter
from genflow.swf.client.handles import Client
from genflow.swf.client.starter import Starter
from genflow.swf.scanner import activity, workflow
from tests.swf.scripted import Waiting, refusal, silent
from tests.swf.work import Loops


@activity('Echo', 1, 'tl')
class Echo(Activity):
    def run(self, value):
        return value


calls = []


@workflow('Order', 1, 'tl')
class Order(Workflow):
    echo = ActivityProxy('Echo', 1)
    approve = Signal()

    def run(self, number):
        self.state = 'new'
        self.set_status({'number': number})
        self.side_effect(lambda: calls.append(1))
        if number < 0:
            raise ValueError('negative')
        said = yield self.echo(number)
        self.state = 'echoed'
        yield self.approve.get()
        if said > 100:
            return self.restart(said - 100)
        self.state = 'approved'
        return said * 2

    @query
    def shown(self, prefix='is '):
        return prefix + self.state


@pytest.fixture
def loops(swf):
    return Loops(swf, Echo, Order)


def test_a_result_through_a_restart(loops):
    execution = loops.client.starter(Order, workflow_id='order-7')(107)
    loops.run()
    execution.signal(Order.approve)
    loops.run()
    execution = loops.client.execution('order-7', execution.run_id)
    loops.client.execution('order-7').signal('approve', 'yes')
    loops.run()
    assert execution.status() == 'CONTINUED_AS_NEW'
    assert execution.result(timeout=0) == 14
    assert loops.client.execution('order-7').status() == 'COMPLETED'


def test_waiting_for_a_result_ends(loops):
    execution = loops.client.starter(Order)(1)
    with pytest.raises(TimeoutError, match=r'Execution\(.*\) is still open'):
        execution.result(timeout=0)


def test_a_failure_has_reason_and_traceback(loops):
    execution = loops.client.starter(Order)(-1)
    loops.run()
    with pytest.raises(ChildFailed, match='ValueError: negative') as raised:
        execution.result()
    assert 'test_client.py' in raised.value.traceback


def test_the_other_endings(loops, swf):
    cancelled, terminated, timed_out = (loops.client.starter(Order)(1) for _ in range(3))
    loops.run()
    cancelled.cancel()
    terminated.terminate('x' * 300)
    loops.run()
    with pytest.raises(ChildCanceled):
        cancelled.result()
    with pytest.raises(ChildTerminated, match='x' * 255 + '…'):
        terminated.result()
    swf.clock.advance(3600)
    with pytest.raises(ChildTimedOut) as raised:
        timed_out.result()
    assert raised.value.timeout_type == 'START_TO_CLOSE'


def test_status_context_and_history(loops):
    execution = loops.client.starter(Order, tags=['gold'])(3)
    assert execution.status() == 'OPEN'
    assert execution.context() is None
    loops.run()
    assert execution.context() == {'number': 3}
    history = execution.history()
    assert [event['eventId'] for event in history] == list(range(1, len(history) + 1))
    assert history[0]['workflowExecutionStartedEventAttributes']['tagList'] == ['gold']


def test_a_query_is_answered_from_the_history(loops):
    execution = loops.client.starter(Order)(3)
    loops.decide()
    before = len(calls)
    assert execution.query('shown') == execution.query(Order.shown) == 'is new'
    loops.run()
    assert execution.query('shown', prefix='was ') == 'was echoed'
    execution.signal('approve')
    assert execution.query('shown') == 'is echoed'
    loops.poller('tl').decision_task()
    assert execution.query('shown') == 'is echoed'  # what is being decided just now is nobody's to repeat
    assert len(calls) == before
    with pytest.raises(AttributeError, match="Order has no query 'run'; it has shown"):
        execution.query(Order.run)


def test_a_query_of_a_closed_execution_by_id(loops):
    execution = loops.client.starter(Order)(3)
    loops.run()
    execution.signal('approve')
    loops.run()
    found = loops.client.execution(execution.workflow_id, workflow=Order)
    assert found.query('shown') == 'is approved'
    with pytest.raises(DefinitionError, match='give the workflow class'):
        loops.client.execution(execution.workflow_id).query('shown')


def test_an_execution_that_is_not_there(loops):
    with pytest.raises(LookupError, match="no execution 'nobody' in domain 'd'"):
        loops.client.execution('nobody').status()


def test_a_class_that_is_not_decorated(loops):
    with pytest.raises(DefinitionError, match='is not decorated'):
        loops.client.starter(Workflow)


def test_a_workflows_own_serialization_is_used(swf):
    @workflow('Plain', 1, 'tl')
    class Plain(Workflow):
        def _serialize_arguments(self, text):
            return text

        def _deserialize_arguments(self, input):
            return [input], {}

        def _serialize_result(self, value):
            return value

        def _deserialize_result(self, text):
            return f'<{text}>'

        def run(self, text):
            return text[::-1]

    loops = Loops(swf, Plain)
    execution = loops.client.starter(Plain)('abc')
    loops.run()
    assert execution.result() == '<cba>'


class Flaky:
    """The service, with some answers lost after the call had its effect, or some calls lost before."""

    def __init__(self, swf, operation, *, lost, before=None):
        self.swf = swf
        self.operation = operation
        self.lost = list(lost)
        self.before = before

    def __getattr__(self, name):
        method = getattr(self.swf, name)
        if name != self.operation:
            return method

        def call(**request):
            if self.before is not None:
                error, self.before = self.before, None
                raise error
            answer = method(**request)
            if self.lost:
                raise self.lost.pop(0)
            return answer

        return call


def flaky(swf, operation, *lost, before=None):
    waiting = Waiting()
    connection = Connection(Flaky(swf, operation, lost=lost, before=before), 'flaky')
    return RetryingClient(connection, pause=waiting.pause, clock=waiting.clock)


def opened(swf):
    found = swf.list_open_workflow_executions(domain='d', startTimeFilter={'oldestDate': 0})
    return [info['execution']['runId'] for info in found['executionInfos']]


class TestStartsOfUnknownOutcome:
    def test_a_start_whose_answer_was_lost_is_found(self, loops, swf):
        starter = Starter(flaky(swf, 'start_workflow_execution', silent()), 'd', 'Order', 1)
        started = starter(5)
        assert opened(swf) == [started.run_id]

    def test_a_start_that_was_lost_is_repeated(self, loops, swf):
        starter = Starter(flaky(swf, 'start_workflow_execution', before=silent()), 'd', 'Order', 1)
        started = starter(5)
        assert opened(swf) == [started.run_id]

    def test_somebody_elses_execution_is_not_taken_for_ours(self, loops, swf):
        loops.client.starter(Order, workflow_id='same')(6)
        starter = Starter(
            flaky(swf, 'start_workflow_execution', before=refusal('InternalFailure', 500)),
            'd',
            'Order',
            1,
            workflow_id='same',
        )
        with pytest.raises(ClientError, match='AlreadyStarted'):
            starter(5)

    def test_an_id_in_use_is_refused_at_once(self, loops, swf):
        loops.client.starter(Order, workflow_id='same')(5)
        with pytest.raises(AlreadyStarted, match="workflow id 'same' is open") as caught:
            loops.client.starter(Order, workflow_id='same')(5)
        assert caught.value.workflow_id == 'same'

    def test_code_that_catches_the_error_of_its_own_client_continues_working(self, loops, swf):
        loops.client.starter(Order, workflow_id='same')(5)
        with pytest.raises(swf.exceptions.WorkflowExecutionAlreadyStartedFault) as caught:
            loops.client.starter(Order, workflow_id='same')(5)
        assert caught.value.response['Error']['Code'] == type(caught.value).__name__
        copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
        assert (type(copy), copy.workflow_id, str(copy)) == (AlreadyStarted, 'same', str(caught.value))
        assert copy.response == caught.value.response


def test_a_signal_of_unknown_outcome_is_reported_and_not_repeated(loops, swf):
    execution = loops.client.starter(Order)(5)
    client = Client('d', service=flaky(swf, 'signal_workflow_execution', silent()))
    with pytest.raises(SignalFailed, match='may have been delivered or not'):
        client.execution(execution.workflow_id).signal('approve')
    signals = [event for event in execution.history() if event['eventType'] == 'WorkflowExecutionSignaled']
    assert len(signals) == 1


def test_a_signal_that_the_class_does_not_declare_is_sent_and_reported_once(loops, caplog):
    execution = loops.client.starter(Order)(5)
    for _ in range(2):
        execution.signal('aprove')
        execution.signal('approve')
        loops.client.execution(execution.workflow_id).signal('anything')  # of an unknown class
    (message,) = [record.getMessage() for record in caplog.records if 'declares no signal' in record.getMessage()]
    assert message == "Order declares no signal 'aprove'; it has approve; did you mean 'approve'?"
    assert [event['eventType'] for event in execution.history()].count('WorkflowExecutionSignaled') == 6


def test_a_value_that_is_no_json_is_named_with_its_signal(loops):
    execution = loops.client.starter(Order)(5)
    with pytest.raises(
        TypeError, match=r"the value of signal 'approve', <object object>, cannot be serialized: .*JSON"
    ):
        execution.signal(Order.approve, object())
    with pytest.raises(PayloadTooLarge, match=r"the value of signal 'approve' has 40,002 characters"):
        execution.signal(Order.approve, 'x' * 40_000)
    with pytest.raises(TypeError, match=r'is not a signal; give Order\.approve or a name'):
        execution.signal(Order.shown)
    assert len(execution.history()) == 2  # started, and a decision scheduled


def test_arguments_that_are_no_json_are_named_with_their_type(loops):
    with pytest.raises(TypeError, match=r'of Order, .*, cannot be serialized: .*JSON'):
        loops.client.starter(Order)(object())


def test_what_a_starter_is_told_wrongly(swf):
    with pytest.raises(DefinitionError, match='tags are'):
        workflow_starter('d', 'Order', 1, layer1=swf, tags=['ab', 'def'] * 3)
    starter = workflow_starter('d', 'Order', 1, layer1=swf)
    with pytest.raises(DefinitionError, match='tags are'), starter.tags(*'abcdef'):
        pass
    with pytest.raises(DefinitionError, match='workflow_duration is -5'):
        workflow_starter('d', 'Order', 1, workflow_duration=-5, layer1=swf)


def test_a_type_whose_class_is_elsewhere_is_started_by_its_name(loops):
    execution = loops.client.starter('Order', version=1, workflow_id='order-7')(3)
    assert execution.workflow_id == 'order-7'
    loops.run()
    execution.signal('approve')
    loops.run()
    assert execution.result() == 6
    with pytest.raises(DefinitionError, match='version is None'):
        loops.client.starter('Order')


def test_an_input_that_is_too_long_is_refused_with_its_length(swf):
    with pytest.raises(PayloadTooLarge, match='the input of Order has 40,009 characters, SWF takes 32,768'):
        workflow_starter('d', 'Order', 1, layer1=swf)('x' * 40_000)


def test_names_and_tags_nest(loops, swf):
    starter = workflow_starter('d', 'Order', 1, layer1=swf)
    with starter.id('outer'):
        with starter.id('inner'):
            assert starter(1).workflow_id == 'inner'
        assert starter(1).workflow_id == 'outer'
    assert starter(1).workflow_id not in ('inner', 'outer')


def test_a_start_with_arguments_that_do_not_fit_is_refused_before_anything_is_sent(loops):
    with pytest.raises(DefinitionError, match=r'these arguments do not fit Order\.run\(.*\): too many positional'):
        loops.client.starter(Order)(1, 2, 3, 4, 5)
    assert (
        list(loops.swf.list_open_workflow_executions(domain='d', startTimeFilter={'oldestDate': 0})['executionInfos'])
        == []
    )


def test_whatever_the_reason_of_a_termination_it_can_be_sent(loops):
    execution = loops.client.starter(Order)(1)
    execution.terminate('caf\udce9')
    with pytest.raises(ChildTerminated, match=r'caf\\udce9'):
        execution.result()
