"""Starting, signalling, cancelling, terminating and describing executions."""

from __future__ import annotations

import pytest

from .decisions import WORKFLOW, complete
from .domain import DOMAIN, ROLE, START_SETTINGS, Domain

BARE = {'name': 'bare', 'version': '1'}


def test_start_records_started_and_a_decision_task(swf: Domain) -> None:
    assert swf.start().types() == ['WorkflowExecutionStarted', 'DecisionTaskScheduled']


def test_start_dates_both_events_alike(swf: Domain) -> None:
    run = swf.start()
    assert run.at('WorkflowExecutionStarted') == run.at('DecisionTaskScheduled')


def test_started_shows_the_defaults_of_the_type(swf: Domain) -> None:
    assert swf.start().only('WorkflowExecutionStarted') == {
        'workflowType': WORKFLOW,
        'taskList': {'name': 'deciders'},
        'executionStartToCloseTimeout': '3600',
        'taskStartToCloseTimeout': '60',
        'childPolicy': 'ABANDON',
        'parentInitiatedEventId': 0,
    }


def test_started_shows_what_the_request_overrides(swf: Domain) -> None:
    given = {**START_SETTINGS, 'taskPriority': '-5', 'input': 'in', 'tagList': ['x', 'y'], 'lambdaRole': ROLE}
    started = swf.start(**given).only('WorkflowExecutionStarted')
    assert started == {**given, 'workflowType': WORKFLOW, 'parentInitiatedEventId': 0}


def test_started_keeps_an_empty_input(swf: Domain) -> None:
    assert swf.start(input='').only('WorkflowExecutionStarted')['input'] == ''


def test_priority_and_lambda_role_default_to_the_type(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, **BARE, defaultTaskPriority='7', defaultLambdaRole=ROLE)
    started = swf.start(workflowType=BARE, **START_SETTINGS).only('WorkflowExecutionStarted')
    assert (started['taskPriority'], started['lambdaRole']) == ('7', ROLE)


def test_first_decision_task_shows_list_and_time_out(swf: Domain) -> None:
    scheduled = swf.start().only('DecisionTaskScheduled')
    assert (scheduled['taskList'], scheduled['startToCloseTimeout']) == ({'name': 'deciders'}, '60')
    assert 'taskPriority' not in scheduled


def test_first_decision_task_shows_the_priority_of_the_execution(swf: Domain) -> None:
    assert swf.start(taskPriority='3').only('DecisionTaskScheduled')['taskPriority'] == '3'


@pytest.mark.parametrize('missing', START_SETTINGS)
def test_start_without_a_default(swf: Domain, missing: str) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, **BARE)
    given = {name: value for name, value in START_SETTINGS.items() if name != missing}
    with swf.refused('DefaultUndefinedFault', missing):
        swf.start(workflowType=BARE, **given)


def test_start_without_any_default_names_the_execution_time_out_first(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, **BARE)
    with swf.refused('DefaultUndefinedFault', 'executionStartToCloseTimeout'):
        swf.start(workflowType=BARE)


def test_start_in_an_unknown_domain(swf: Domain) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        swf.start(domain='nowhere')


def test_start_of_an_unknown_type(swf: Domain) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown type: WorkflowType=[name=wf, version=2]'):
        swf.start(workflowType={'name': 'wf', 'version': '2'})


def test_start_of_a_deprecated_type(swf: Domain) -> None:
    swf.client.deprecate_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    with swf.refused('TypeDeprecatedFault', 'WorkflowType=[name=wf, version=1]'):
        swf.start()


def test_deprecated_type_keeps_running_what_is_open(swf: Domain) -> None:
    run = swf.start()
    swf.client.deprecate_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    swf.decide(complete())
    assert run.info()['closeStatus'] == 'COMPLETED'


def test_start_while_one_is_open(swf: Domain) -> None:
    swf.start()
    with swf.refused('WorkflowExecutionAlreadyStartedFault'):
        swf.start()


def test_start_again_after_the_close_gives_another_run(swf: Domain) -> None:
    first = swf.start()
    swf.terminate(first)
    assert swf.start().run_id != first.run_id


def test_one_id_may_be_open_in_two_domains(swf: Domain) -> None:
    swf.start()
    swf.client.register_domain(name='other', workflowExecutionRetentionPeriodInDays='1')
    swf.client.register_workflow_type(domain='other', **WORKFLOW)
    swf.start(domain='other', **START_SETTINGS)


@pytest.mark.parametrize(
    'members',
    [
        {'executionStartToCloseTimeout': 'NONE'},
        {'executionStartToCloseTimeout': '31536001'},
        {'taskStartToCloseTimeout': '-1'},
        {'childPolicy': 'ADOPT'},
        {'tagList': ['1', '2', '3', '4', '5', '6']},
        {'tagList': ['x' * 257]},
        {'input': 'x' * 32769},
        {'taskPriority': '2147483648'},
        {'taskList': {'name': 'a:b'}},
        {'taskList': {'name': 'arn'}},
        {'lambdaRole': ''},
    ],
    ids=lambda members: next(iter(members)),
)
def test_start_refuses_members(swf: Domain, members: dict) -> None:
    with swf.refused('ValidationException'):
        swf.start(**members)


@pytest.mark.parametrize('workflow_id', ['', 'x' * 257, 'arn', 'a\x00b', 'a\x9fb'])
def test_start_refuses_workflow_id(swf: Domain, workflow_id: str) -> None:
    with swf.refused('ValidationException'):
        swf.start(workflow_id)


@pytest.mark.parametrize('workflow_id', ['x' * 256, 'a b', 'é' * 256, 'order-1_2.3=4;5'])
def test_start_accepts_workflow_id(swf: Domain, workflow_id: str) -> None:
    assert swf.start(workflow_id).info()['execution']['workflowId'] == workflow_id


def test_data_may_have_32768_characters_of_any_size(swf: Domain) -> None:
    given = '€' * 32768
    assert swf.start(input=given).only('WorkflowExecutionStarted')['input'] == given
