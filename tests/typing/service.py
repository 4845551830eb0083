"""What type checkers must see of the embedded service; checked as ``cases.py`` is, not run."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import assert_type

from genflow.local import LocalSWF


def calls(swf: LocalSWF) -> None:
    swf.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    started = swf.start_workflow_execution(
        domain='shop', workflowId='order-1', workflowType={'name': 'Order', 'version': '1'}, tagList=['a']
    )
    task = swf.poll_for_activity_task(domain='shop', taskList={'name': 'orders'})
    assert_type(task['taskToken'], str)
    assert_type(task['startedEventId'], int)
    swf.respond_decision_task_completed(
        taskToken=task['taskToken'],
        decisions=[
            {'decisionType': 'StartTimer', 'startTimerDecisionAttributes': {'timerId': '1', 'startToFireTimeout': '5'}}
        ],
    )
    pages = swf.get_workflow_execution_history(domain='shop', execution=task['workflowExecution'], reverseOrder=True)
    assert_type(pages['events'][0]['eventTimestamp'], datetime)

    swf.register_domian(name='shop')  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    swf.register_domain(name='shop')  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    swf.describe_domain(nme='shop')  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    swf.terminate_workflow_execution(domain='shop', workflowId='order-1', childPolicy='KEEP')  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    started['taskToken']  # type: ignore[typeddict-item]  # pyright: ignore[reportTypedDictNotRequiredAccess, reportGeneralTypeIssues]
