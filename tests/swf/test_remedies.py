"""What the service refuses is told with the way out, as SWF's own texts are read."""

from __future__ import annotations

import re
import sys
import traceback

import pytest
from botocore.exceptions import ClientError

from genflow.swf.aws import error_hints
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.error_hints import explained
from genflow.swf.client.async_completion import AsyncCompletion
from genflow.swf.client.handles import Client
from tests.swf.scripted import refusal, unreachable

UNKNOWN = 'UnknownResourceFault'
TAKEN = 'WorkflowExecutionAlreadyStartedFault'

CASES = {
    'domain': (UNKNOWN, 'Unknown domain: shop', {}, '`genflow domain register shop` registers it'),
    'type': (
        UNKNOWN,
        'Unknown type: WorkflowType=[name=Order, version=1]',
        {'domain': 'shop'},
        'start one that has the class, with `genflow worker TARGET --domain shop --task-list LIST`',
    ),
    'id': (UNKNOWN, 'Unknown execution, workflowId = a', {'domain': 'shop'}, '`genflow list --closed --domain shop`'),
    'run': (
        UNKNOWN,
        'Unknown execution: WorkflowExecution=[workflowId=a, runId=b]',
        {},
        'never started here, or',
    ),
    'activity': (UNKNOWN, 'Unknown activity, scheduledEventId = 5', {'taskToken': 't'}, 'was answered before'),
    'closed': (
        UNKNOWN,
        'Unknown execution: WorkflowExecution=[workflowId=a, runId=b]',
        {'taskToken': 't'},
        'The token is no longer valid',
    ),
    'token': ('ValidationException', 'Invalid token', {'taskToken': 't'}, '`self.token`'),
    'taken': (TAKEN, 'Already Started', {'workflowId': 'order-7'}, 'An execution order-7 is open'),
    'default': ('DefaultUndefinedFault', 'defaultTaskList', {}, 'registered without this default'),
}


@pytest.mark.parametrize('case', CASES)
def test_a_refusal_is_explained(case):
    code, message, request, remedy = CASES[case]
    text = explained(refusal(code, message=message), **request)
    assert text.startswith(f'{message} ({code}). ')
    assert remedy in text


def test_what_is_not_known_is_left_to_be_filled_in():
    text = explained(refusal(UNKNOWN, message='Unknown type: WorkflowType=[name=Order, version=1]'))
    assert '--domain DOMAIN' in text


@pytest.mark.parametrize(('error', 'text'), [(refusal('LimitExceededFault'), 'no (LimitExceededFault)')])
def test_what_nobody_can_help_with_is_told_as_it_is(error, text):
    assert explained(error, domain='shop') == text


def test_an_error_that_no_service_gave_is_its_own_text():
    assert explained(unreachable()) == str(unreachable())


@pytest.mark.skipif(sys.version_info < (3, 11), reason='exceptions have no notes')
def test_an_error_of_a_client_stays_what_it_is_and_has_a_note(swf):
    starter = Client('d', swf).starter('Order', version=1, task_list='tl', workflow_id='a')
    with pytest.raises(ClientError) as raised:
        starter(1)
    assert type(raised.value) is swf.exceptions.UnknownResourceFault
    assert '`genflow worker TARGET --domain d' in ''.join(traceback.format_exception(raised.value))


def test_a_spent_token_is_told_by_the_answer(swf):
    swf.register_workflow_type(domain='d', name='Flow', version='1')
    swf.register_activity_type(domain='d', name='Deed', version='1')
    swf.start_workflow_execution(
        domain='d',
        workflowId='a',
        workflowType={'name': 'Flow', 'version': '1'},
        taskList={'name': 'tl'},
        executionStartToCloseTimeout='60',
        taskStartToCloseTimeout='60',
        childPolicy='TERMINATE',
    )
    none = dict.fromkeys(
        ('heartbeatTimeout', 'scheduleToCloseTimeout', 'scheduleToStartTimeout', 'startToCloseTimeout'), 'NONE'
    )
    deed = {'activityId': '1', 'activityType': {'name': 'Deed', 'version': '1'}, 'taskList': {'name': 'tl'}, **none}
    task = swf.poll_for_decision_task(domain='d', taskList={'name': 'tl'})
    decision = {'decisionType': 'ScheduleActivityTask', 'scheduleActivityTaskDecisionAttributes': deed}
    swf.respond_decision_task_completed(taskToken=task['taskToken'], decisions=[decision])
    token = swf.poll_for_activity_task(domain='d', taskList={'name': 'tl'})['taskToken']
    scheduler = AsyncCompletion(RetryingClient(connect(swf)), 'd')
    assert [scheduler.complete(token, 1), scheduler.complete(token, 1)] == [True, False]
    with pytest.raises(ClientError) as raised:
        swf.respond_activity_task_completed(taskToken=token)
    assert explained(raised.value, taskToken=token).endswith(
        'The token is no longer valid: its task was answered before, has timed out, or its execution has closed.'
    )


def test_each_command_of_a_hint_reaches_the_service():
    commands = [command for hint in error_hints._REMEDIES for command in re.findall('`(genflow [^`]+)`', hint.text)]  # noqa: SLF001
    assert len(commands) == 6
    assert [command for command in commands if not command.endswith('{service}')] == []
