"""Workflow types and activity types: the same rules for both, held in one table."""

from __future__ import annotations

import pytest

from .decisions import complete, schedule
from .domain import DOMAIN, Domain

WORKFLOW_DEFAULTS = {
    'defaultTaskStartToCloseTimeout': 'NONE',
    'defaultExecutionStartToCloseTimeout': '31536000',
    'defaultTaskList': {'name': 'list'},
    'defaultTaskPriority': '-2147483648',
    'defaultChildPolicy': 'REQUEST_CANCEL',
    'defaultLambdaRole': 'arn:aws:iam::123456789012:role/r',
}
ACTIVITY_DEFAULTS = {
    'defaultTaskStartToCloseTimeout': '1',
    'defaultTaskHeartbeatTimeout': 'NONE',
    'defaultTaskList': {'name': 'list'},
    'defaultTaskPriority': '2147483647',
    'defaultTaskScheduleToStartTimeout': '0',
    'defaultTaskScheduleToCloseTimeout': '31536000',
}
DEFAULTS = {'workflow': WORKFLOW_DEFAULTS, 'activity': ACTIVITY_DEFAULTS}
TYPE = {'name': 'thing', 'version': 'v'}
KINDS = pytest.mark.parametrize('kind', ['workflow', 'activity'])


def register(swf: Domain, kind: str, **members: object) -> dict:
    return getattr(swf.client, f'register_{kind}_type')(**{'domain': DOMAIN, **TYPE, **members})


def on_type(swf: Domain, verb: str, kind: str, **type_members: str) -> dict:
    return getattr(swf.client, f'{verb}_{kind}_type')(domain=DOMAIN, **{f'{kind}Type': {**TYPE, **type_members}})


def listed(swf: Domain, kind: str, **request: object) -> list[tuple[str, str]]:
    request = {'domain': DOMAIN, 'registrationStatus': 'REGISTERED', **request}
    infos = getattr(swf.client, f'list_{kind}_types')(**request)['typeInfos']
    return [(info[f'{kind}Type']['name'], info[f'{kind}Type']['version']) for info in infos]


def message(kind: str, **members: str) -> str:
    named = {**TYPE, **members}
    return f'{kind.capitalize()}Type=[name={named["name"]}, version={named["version"]}]'


@KINDS
def test_register_type_answers_nothing(swf: Domain, kind: str) -> None:
    assert register(swf, kind) == {}


@KINDS
def test_describe_type_shows_every_default(swf: Domain, kind: str) -> None:
    register(swf, kind, **DEFAULTS[kind])
    assert on_type(swf, 'describe', kind)['configuration'] == DEFAULTS[kind]


@KINDS
def test_describe_type_shows_only_defaults_that_were_given(swf: Domain, kind: str) -> None:
    register(swf, kind)
    assert on_type(swf, 'describe', kind)['configuration'] == {}


@KINDS
def test_describe_type_shows_its_info(swf: Domain, kind: str) -> None:
    register(swf, kind, description='why')
    info = on_type(swf, 'describe', kind)['typeInfo']
    info.pop('creationDate')
    assert info == {f'{kind}Type': TYPE, 'status': 'REGISTERED', 'description': 'why'}


@KINDS
def test_creation_date_is_the_time_of_registration(swf: Domain, kind: str) -> None:
    register(swf, kind)
    swf.advance(100)
    register(swf, kind, version='later')
    first = on_type(swf, 'describe', kind)['typeInfo']['creationDate']
    second = on_type(swf, 'describe', kind, version='later')['typeInfo']['creationDate']
    assert (second - first).total_seconds() == pytest.approx(100, abs=0.01)


@KINDS
def test_register_type_twice(swf: Domain, kind: str) -> None:
    register(swf, kind)
    with swf.refused('TypeAlreadyExistsFault', message(kind)):
        register(swf, kind)


@KINDS
def test_register_type_that_is_deprecated(swf: Domain, kind: str) -> None:
    register(swf, kind)
    on_type(swf, 'deprecate', kind)
    with swf.refused('TypeAlreadyExistsFault', message(kind)):
        register(swf, kind)


@KINDS
def test_register_type_in_an_unknown_domain(swf: Domain, kind: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        register(swf, kind, domain='nowhere')


@KINDS
@pytest.mark.parametrize('member', ['name', 'version'])
@pytest.mark.parametrize('value', ['a:b', 'a/b', 'a|b', 'arn', 'a\nb', '', 'x' * 257])
def test_register_type_refuses_name_or_version(swf: Domain, kind: str, member: str, value: str) -> None:
    with swf.refused('ValidationException'):
        register(swf, kind, **{member: value})


@KINDS
@pytest.mark.parametrize('seconds', ['-1', '1.5', 'none', 'x', '31536001', '123456789'])
def test_register_type_refuses_duration(swf: Domain, kind: str, seconds: str) -> None:
    with swf.refused('ValidationException'):
        register(swf, kind, defaultTaskStartToCloseTimeout=seconds)


@KINDS
@pytest.mark.parametrize('priority', ['2147483648', '-2147483649', 'high', '1.0'])
def test_register_type_refuses_priority(swf: Domain, kind: str, priority: str) -> None:
    with swf.refused('ValidationException'):
        register(swf, kind, defaultTaskPriority=priority)


@KINDS
@pytest.mark.parametrize('name', ['a:b', 'arn', 'x' * 257])
def test_register_type_refuses_task_list(swf: Domain, kind: str, name: str) -> None:
    with swf.refused('ValidationException'):
        register(swf, kind, defaultTaskList={'name': name})


@KINDS
def test_register_type_refuses_a_long_description(swf: Domain, kind: str) -> None:
    register(swf, kind, description='x' * 1024)
    with swf.refused('ValidationException'):
        register(swf, kind, version='2', description='x' * 1025)


def test_register_workflow_type_refuses_an_endless_execution(swf: Domain) -> None:
    with swf.refused('ValidationException'):
        register(swf, 'workflow', defaultExecutionStartToCloseTimeout='NONE')


def test_register_workflow_type_refuses_an_unknown_child_policy(swf: Domain) -> None:
    with swf.refused('ValidationException'):
        register(swf, 'workflow', defaultChildPolicy='ADOPT')


@KINDS
@pytest.mark.parametrize('verb', ['describe', 'deprecate', 'undeprecate', 'delete'])
def test_unknown_type(swf: Domain, kind: str, verb: str) -> None:
    with swf.refused('UnknownResourceFault', f'Unknown type: {message(kind)}'):
        on_type(swf, verb, kind)


@KINDS
@pytest.mark.parametrize('verb', ['describe', 'deprecate', 'undeprecate', 'delete'])
def test_type_in_an_unknown_domain(swf: Domain, kind: str, verb: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        getattr(swf.client, f'{verb}_{kind}_type')(domain='nowhere', **{f'{kind}Type': TYPE})


@KINDS
def test_deprecate_type_shows_status_and_date(swf: Domain, kind: str) -> None:
    register(swf, kind)
    swf.advance(5)
    assert on_type(swf, 'deprecate', kind) == {}
    info = on_type(swf, 'describe', kind)['typeInfo']
    assert info['status'] == 'DEPRECATED'
    assert (info['deprecationDate'] - info['creationDate']).total_seconds() == pytest.approx(5, abs=0.01)


@KINDS
def test_deprecate_type_twice(swf: Domain, kind: str) -> None:
    register(swf, kind)
    on_type(swf, 'deprecate', kind)
    with swf.refused('TypeDeprecatedFault', message(kind)):
        on_type(swf, 'deprecate', kind)


@KINDS
def test_undeprecate_type_takes_the_date_away(swf: Domain, kind: str) -> None:
    register(swf, kind)
    on_type(swf, 'deprecate', kind)
    assert on_type(swf, 'undeprecate', kind) == {}
    info = on_type(swf, 'describe', kind)['typeInfo']
    assert info['status'] == 'REGISTERED'
    assert 'deprecationDate' not in info


@KINDS
def test_undeprecate_type_that_is_registered(swf: Domain, kind: str) -> None:
    register(swf, kind)
    with swf.refused('TypeAlreadyExistsFault', message(kind)):
        on_type(swf, 'undeprecate', kind)


@KINDS
def test_delete_type_that_is_registered(swf: Domain, kind: str) -> None:
    register(swf, kind)
    expected = 'The type is currently registered and cannot be deleted in its current state'
    with swf.refused('TypeNotDeprecatedFault', expected):
        on_type(swf, 'delete', kind)


@KINDS
def test_delete_type_takes_it_away(swf: Domain, kind: str) -> None:
    register(swf, kind)
    on_type(swf, 'deprecate', kind)
    assert on_type(swf, 'delete', kind) == {}
    with swf.refused('UnknownResourceFault', f'Unknown type: {message(kind)}'):
        on_type(swf, 'describe', kind)


@KINDS
def test_delete_type_frees_its_name(swf: Domain, kind: str) -> None:
    register(swf, kind)
    on_type(swf, 'deprecate', kind)
    on_type(swf, 'delete', kind)
    register(swf, kind)
    assert on_type(swf, 'describe', kind)['typeInfo']['status'] == 'REGISTERED'


def test_delete_activity_type_leaves_open_tasks_alone(swf: Domain) -> None:
    register(swf, 'activity', **ACTIVITY_DEFAULTS | {'defaultTaskScheduleToStartTimeout': 'NONE'})
    run = swf.start()
    swf.decide(schedule(activityType=TYPE))
    on_type(swf, 'deprecate', 'activity')
    on_type(swf, 'delete', 'activity')
    swf.client.respond_activity_task_completed(taskToken=swf.take_activity('list')['taskToken'], result='r')
    assert run.only('ActivityTaskCompleted')['result'] == 'r'


def test_delete_activity_type_leaves_no_defaults_to_the_next_of_its_name(swf: Domain) -> None:
    run = swf.start()
    for number, task_list in enumerate(('one', 'two')):
        register(swf, 'activity', **ACTIVITY_DEFAULTS | {'defaultTaskList': {'name': task_list}})
        swf.decide(schedule(f'{number}', activityType=TYPE, scheduleToStartTimeout='NONE'))
        assert swf.take_activity(task_list)['activityId'] == f'{number}'
        on_type(swf, 'deprecate', 'activity')
        on_type(swf, 'delete', 'activity')
        swf.signal(run)


def test_delete_workflow_type_leaves_open_executions_alone(swf: Domain) -> None:
    register(swf, 'workflow', **WORKFLOW_DEFAULTS)
    run = swf.start(workflowType=TYPE)
    on_type(swf, 'deprecate', 'workflow')
    on_type(swf, 'delete', 'workflow')
    swf.decide(complete(), task_list='list')
    assert run.info()['closeStatus'] == 'COMPLETED'


@KINDS
def test_list_types_ascends_by_name_then_version(swf: Domain, kind: str) -> None:
    for name, version in [('b', '1'), ('a', '2'), ('a', '1')]:
        register(swf, kind, name=name, version=version)
    own = {'workflow': ('wf', '1'), 'activity': ('act', '1')}[kind]
    assert listed(swf, kind) == sorted([('a', '1'), ('a', '2'), ('b', '1'), own])


@KINDS
def test_list_types_in_reverse_descends_by_name(swf: Domain, kind: str) -> None:
    register(swf, kind, name='a')
    register(swf, kind, name='z')
    own = {'workflow': ('wf', '1'), 'activity': ('act', '1')}[kind]
    assert listed(swf, kind, reverseOrder=True) == [('z', 'v'), own, ('a', 'v')]


@KINDS
def test_list_types_by_name_is_exact(swf: Domain, kind: str) -> None:
    register(swf, kind)
    register(swf, kind, name='thing2')
    assert listed(swf, kind, name='thing') == [('thing', 'v')]


@KINDS
def test_list_types_by_status(swf: Domain, kind: str) -> None:
    register(swf, kind)
    on_type(swf, 'deprecate', kind)
    assert ('thing', 'v') not in listed(swf, kind)
    assert listed(swf, kind, registrationStatus='DEPRECATED') == [('thing', 'v')]


@KINDS
def test_list_types_pages_through_all(swf: Domain, kind: str) -> None:
    for name in 'abcde':
        register(swf, kind, name=name)
    method = getattr(swf.client, f'list_{kind}_types')
    request = {'domain': DOMAIN, 'registrationStatus': 'REGISTERED', 'maximumPageSize': 4}
    first = method(**request)
    second = method(**request, nextPageToken=first['nextPageToken'])
    assert (len(first['typeInfos']), len(second['typeInfos'])) == (4, 2)
    assert 'nextPageToken' not in second


@KINDS
def test_list_types_of_an_unknown_domain(swf: Domain, kind: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        listed(swf, kind, domain='nowhere')
