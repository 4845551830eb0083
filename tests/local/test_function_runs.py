"""Where a Lambda function runs is the caller's choice: a test that steps through an execution makes the call itself."""

from __future__ import annotations

import threading

from genflow.local import LocalSWF, ManualClock
from genflow.local.engine.service import Service

ROLE = 'arn:aws:iam::123456789012:role/test'
TASK_LIST = {'name': 'orders'}


def test_the_caller_makes_the_call_when_it_wants_to():
    swf, work = LocalSWF(clock=ManualClock()), []
    swf.register_lambda('double', lambda number: 2 * number, run=work.append)
    swf.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
    swf.register_workflow_type(domain='shop', name='Order', version='1')
    swf.start_workflow_execution(
        domain='shop',
        workflowId='order-1',
        workflowType={'name': 'Order', 'version': '1'},
        taskList=TASK_LIST,
        executionStartToCloseTimeout='60',
        taskStartToCloseTimeout='60',
        childPolicy='TERMINATE',
        lambdaRole=ROLE,
    )
    task = swf.poll_for_decision_task(domain='shop', taskList=TASK_LIST)
    attributes = {'id': '1', 'name': 'double', 'input': '21'}
    decision = {
        'decisionType': 'ScheduleLambdaFunction',
        'scheduleLambdaFunctionDecisionAttributes': attributes,
    }
    swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[decision])
    assert len(work) == 1
    assert 'taskToken' not in swf.poll_for_decision_task(domain='shop', taskList=TASK_LIST)
    work.pop()()
    event = swf.poll_for_decision_task(domain='shop', taskList=TASK_LIST)['events'][-3]
    assert event['lambdaFunctionCompletedEventAttributes']['result'] == '42'
    swf.close()


def test_threads_register_functions_at_the_same_moment(tmp_path, monkeypatch):
    """While the first thread registers, another one does, and the service gets each function once."""
    registered, register = [], Service.register_lambda
    with LocalSWF(tmp_path / 'x.db') as swf:

        def interleaved(self, name, function, run):
            registered.append(name)
            if registered == ['first']:
                other = threading.Thread(target=swf.register_lambda, args=('second', len))
                other.start()
                other.join()
            register(self, name, function, run)

        monkeypatch.setattr(Service, 'register_lambda', interleaved)
        swf.register_lambda('first', len)
        swf.register_lambda('third', len)
    assert registered == ['first', 'second', 'third']
