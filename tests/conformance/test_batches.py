"""What a batch of decisions must be to be taken at all."""

from __future__ import annotations

from .decisions import decision, marker
from .domain import Domain


def test_an_unknown_decision_type(swf: Domain) -> None:
    swf.start()
    expected = (
        "1 validation error detected: Value 'Rest' at 'decisions.1.member.decisionType' failed to satisfy constraint: "
        'Member must satisfy enum value set: [CompleteWorkflowExecution, StartTimer, '
        'RequestCancelExternalWorkflowExecution, SignalExternalWorkflowExecution, CancelTimer, RecordMarker, '
        'ScheduleActivityTask, ContinueAsNewWorkflowExecution, ScheduleLambdaFunction, FailWorkflowExecution, '
        'RequestCancelActivityTask, StartChildWorkflowExecution, CancelWorkflowExecution]'
    )
    with swf.refused('ValidationException', expected):
        swf.decide({'decisionType': 'Rest'})


def null(path: str) -> str:
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def test_a_missing_member_of_a_decision(swf: Domain) -> None:
    swf.start()
    expected = null('decisions.2.member.startTimerDecisionAttributes.timerId')
    with swf.refused('ValidationException', f'1 validation error detected: {expected}'):
        swf.decide(marker(), decision('StartTimer', startToFireTimeout='1'))


def test_a_missing_block_of_attributes(swf: Domain) -> None:
    swf.start()
    first = null('decisions.1.member.startTimerDecisionAttributes.timerId')
    second = null('decisions.1.member.startTimerDecisionAttributes.startToFireTimeout')
    with swf.refused('ValidationException', f'2 validation errors detected: {first}; {second}'):
        swf.decide({'decisionType': 'StartTimer'})


def test_a_close_without_its_block_of_attributes_closes(swf: Domain) -> None:
    run = swf.start()
    swf.decide({'decisionType': 'CompleteWorkflowExecution'})
    assert run.only('WorkflowExecutionCompleted') == {'decisionTaskCompletedEventId': 4}


def test_two_missing_members_are_reported_together(swf: Domain) -> None:
    swf.start()
    first = null('decisions.1.member.startTimerDecisionAttributes.timerId')
    second = null('decisions.1.member.startTimerDecisionAttributes.startToFireTimeout')
    with swf.refused('ValidationException', f'2 validation errors detected: {first}; {second}'):
        swf.decide(decision('StartTimer'))


def test_a_refused_batch_records_nothing(swf: Domain) -> None:
    run = swf.start()
    with swf.refused('ValidationException'):
        swf.decide(marker('good'), marker('x' * 257))
    assert run.types()[-1] == 'DecisionTaskStarted'


def test_a_foreign_block_of_attributes_is_checked_too(swf: Domain) -> None:
    swf.start()
    with swf.refused('ValidationException'):
        swf.decide({**marker(), 'startTimerDecisionAttributes': {'timerId': 't'}})


def test_a_batch_of_many_decisions(swf: Domain) -> None:
    run = swf.start()
    swf.decide(*(marker(str(n)) for n in range(500)))
    assert len(run.all('MarkerRecorded')) == 500
