"""Listing and counting executions."""

from __future__ import annotations

from typing import Any

import pytest

from .decisions import WORKFLOW, cancel, complete, continue_as_new, fail, start_child
from .domain import DOMAIN, TYPE_DEFAULTS, Domain, Run

ALL: dict[str, Any] = {'startTimeFilter': {'oldestDate': 0}}


def ids(answer: dict[str, Any]) -> list[str]:
    return [info['execution']['workflowId'] for info in answer['executionInfos']]


def open_ids(swf: Domain, **request: Any) -> list[str]:
    return ids(swf.client.list_open_workflow_executions(domain=DOMAIN, **{**ALL, **request}))


def closed_ids(swf: Domain, **request: Any) -> list[str]:
    request = request if 'closeTimeFilter' in request else {**ALL, **request}
    return ids(swf.client.list_closed_workflow_executions(domain=DOMAIN, **request))


def count(swf: Domain, which: str, **request: Any) -> int:
    answer = getattr(swf.client, f'count_{which}_workflow_executions')(domain=DOMAIN, **request)
    assert answer['truncated'] is False
    return answer['count']


def three_open(swf: Domain) -> list[Run]:
    """One second apart."""
    runs = []
    for name in ['one', 'two', 'three']:
        runs.append(swf.start(name))
        swf.advance(1)
    return runs


def three_closed(swf: Domain) -> list[Run]:
    """Started one, two, three and closed in the reverse order."""
    runs = three_open(swf)
    for run in reversed(runs):
        swf.terminate(run)
        swf.advance(1)
    return runs


def test_open_executions_descend_by_start(swf: Domain) -> None:
    three_open(swf)
    assert open_ids(swf) == ['three', 'two', 'one']


def test_open_executions_in_reverse_ascend(swf: Domain) -> None:
    three_open(swf)
    assert open_ids(swf, reverseOrder=True) == ['one', 'two', 'three']


def test_open_executions_are_open(swf: Domain) -> None:
    runs = three_open(swf)
    swf.terminate(runs[1])
    assert open_ids(swf) == ['three', 'one']
    assert closed_ids(swf) == ['two']


def test_an_open_execution_shows_its_info(swf: Domain) -> None:
    run = swf.start(tagList=['t'])
    (info,) = swf.client.list_open_workflow_executions(domain=DOMAIN, **ALL)['executionInfos']
    assert info == run.info()
    assert info['tagList'] == ['t']


def test_a_closed_execution_shows_its_info(swf: Domain) -> None:
    run = swf.start()
    swf.decide(complete())
    (info,) = swf.client.list_closed_workflow_executions(domain=DOMAIN, **ALL)['executionInfos']
    assert info == run.info()
    assert info['closeStatus'] == 'COMPLETED'


def test_a_child_shows_its_parent(swf: Domain) -> None:
    run = swf.start('parent')
    swf.decide(start_child('child'))
    swf.settle()
    found = swf.client.list_open_workflow_executions(domain=DOMAIN, executionFilter={'workflowId': 'child'}, **ALL)
    assert found['executionInfos'][0]['parent'] == run.execution


def test_closed_executions_descend_by_start(swf: Domain) -> None:
    three_closed(swf)
    assert closed_ids(swf) == ['three', 'two', 'one']


def test_closed_executions_descend_by_close_where_that_is_asked(swf: Domain) -> None:
    three_closed(swf)
    assert closed_ids(swf, closeTimeFilter={'oldestDate': 0}) == ['one', 'two', 'three']


def test_closed_executions_in_reverse_ascend_by_close(swf: Domain) -> None:
    three_closed(swf)
    assert closed_ids(swf, closeTimeFilter={'oldestDate': 0}, reverseOrder=True) == ['three', 'two', 'one']


def test_start_time_filter_bounds_are_inclusive(swf: Domain) -> None:
    runs = three_open(swf)
    moment = runs[1].at('WorkflowExecutionStarted')
    assert open_ids(swf, startTimeFilter={'oldestDate': moment, 'latestDate': moment}) == ['two']


def test_start_time_filter_has_an_open_end(swf: Domain) -> None:
    runs = three_open(swf)
    assert open_ids(swf, startTimeFilter={'oldestDate': runs[1].at('WorkflowExecutionStarted')}) == ['three', 'two']


def test_start_time_filter_that_ends_before_it_begins(swf: Domain) -> None:
    three_open(swf)
    assert open_ids(swf, startTimeFilter={'oldestDate': 100, 'latestDate': 50}) == []


def test_close_time_filter(swf: Domain) -> None:
    runs = three_closed(swf)
    moment = runs[1].at('WorkflowExecutionTerminated')
    assert closed_ids(swf, closeTimeFilter={'oldestDate': moment, 'latestDate': moment}) == ['two']


def test_execution_filter_matches_every_run_of_the_id(swf: Domain) -> None:
    for _ in range(2):
        swf.terminate(swf.start('one'))
    swf.terminate(swf.start('two'))
    assert closed_ids(swf, executionFilter={'workflowId': 'one'}) == ['one', 'one']


def test_type_filter(swf: Domain) -> None:
    swf.client.register_workflow_type(domain=DOMAIN, name='wf', version='2', **TYPE_DEFAULTS)
    swf.client.register_workflow_type(domain=DOMAIN, name='other', version='1', **TYPE_DEFAULTS)
    for name, version in [('wf', '1'), ('wf', '2'), ('other', '1')]:
        swf.start(f'{name}{version}', workflowType={'name': name, 'version': version})
        swf.advance(1)
    assert open_ids(swf, typeFilter={'name': 'wf'}) == ['wf2', 'wf1']
    assert open_ids(swf, typeFilter={'name': 'wf', 'version': '2'}) == ['wf2']
    assert open_ids(swf, typeFilter={'name': 'wf', 'version': ''}) == ['wf2', 'wf1']
    assert open_ids(swf, typeFilter={'name': 'never'}) == []


def test_tag_filter_is_exact(swf: Domain) -> None:
    swf.start('one', tagList=['red', 'blue'])
    swf.start('two', tagList=['Red', 'redder'])
    assert open_ids(swf, tagFilter={'tag': 'red'}) == ['one']


STATUSES = {
    'COMPLETED': complete(),
    'FAILED': fail(),
    'CANCELED': cancel(),
    'CONTINUED_AS_NEW': continue_as_new(taskList={'name': 'away'}),
}


def test_close_status_filter(swf: Domain) -> None:
    for status, sent in STATUSES.items():
        swf.start(status)
        swf.decide(sent)
    swf.terminate(swf.start('TERMINATED'))
    swf.start('TIMED_OUT', executionStartToCloseTimeout='1')
    swf.advance(2)
    for status in [*STATUSES, 'TERMINATED', 'TIMED_OUT']:
        assert closed_ids(swf, closeStatusFilter={'status': status}) == [status]


def test_filters_match_what_is_closed_too(swf: Domain) -> None:
    swf.terminate(swf.start('one', tagList=['red']))
    swf.terminate(swf.start('two'))
    assert closed_ids(swf, tagFilter={'tag': 'red'}) == ['one']
    assert closed_ids(swf, typeFilter={'name': 'wf'}) != []


def test_a_filter_on_a_type_that_is_gone(swf: Domain) -> None:
    swf.terminate(swf.start())
    swf.client.deprecate_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    swf.client.delete_workflow_type(domain=DOMAIN, workflowType=WORKFLOW)
    assert closed_ids(swf, typeFilter=WORKFLOW) == ['w']


@pytest.mark.parametrize('which', ['open', 'closed'])
def test_lists_page(swf: Domain, which: str) -> None:
    for run in [swf.start(str(n)) for n in range(5)]:
        if which == 'closed':
            swf.terminate(run)
    method = getattr(swf.client, f'list_{which}_workflow_executions')
    first = method(domain=DOMAIN, maximumPageSize=3, **ALL)
    second = method(domain=DOMAIN, maximumPageSize=3, nextPageToken=first['nextPageToken'], **ALL)
    assert (len(ids(first)), len(ids(second))) == (3, 2)
    assert set(ids(first) + ids(second)) == {'0', '1', '2', '3', '4'}
    assert 'nextPageToken' not in second


@pytest.mark.parametrize('which', ['open', 'closed'])
def test_a_full_last_page_has_no_token(swf: Domain, which: str) -> None:
    for run in [swf.start(str(n)) for n in range(2)]:
        if which == 'closed':
            swf.terminate(run)
    answer = getattr(swf.client, f'list_{which}_workflow_executions')(domain=DOMAIN, maximumPageSize=2, **ALL)
    assert 'nextPageToken' not in answer


METHODS = [f'{verb}_{which}_workflow_executions' for verb in ('list', 'count') for which in ('open', 'closed')]


@pytest.mark.parametrize('method', METHODS)
def test_an_unknown_domain(swf: Domain, method: str) -> None:
    with swf.refused('UnknownResourceFault', 'Unknown domain: nowhere'):
        getattr(swf.client, method)(domain='nowhere', **ALL)


@pytest.mark.parametrize('method', METHODS)
@pytest.mark.parametrize(
    'filters',
    [
        {'executionFilter': {'workflowId': 'w'}, 'tagFilter': {'tag': 't'}},
        {'executionFilter': {'workflowId': 'w'}, 'typeFilter': {'name': 'wf'}},
        {'typeFilter': {'name': 'wf'}, 'tagFilter': {'tag': 't'}},
    ],
    ids=' '.join,
)
def test_filters_exclude_each_other(swf: Domain, method: str, filters: dict) -> None:
    with swf.refused('ValidationException'):
        getattr(swf.client, method)(domain=DOMAIN, **ALL, **filters)


@pytest.mark.parametrize('method', [name for name in METHODS if 'closed' in name])
def test_close_status_excludes_the_others(swf: Domain, method: str) -> None:
    with swf.refused('ValidationException'):
        getattr(swf.client, method)(
            domain=DOMAIN, **ALL, closeStatusFilter={'status': 'COMPLETED'}, tagFilter={'tag': 't'}
        )


@pytest.mark.parametrize('method', METHODS)
def test_a_time_filter_is_needed(swf: Domain, method: str) -> None:
    with swf.refused('ValidationException'):
        getattr(swf.client, method)(domain=DOMAIN)


@pytest.mark.parametrize('method', [name for name in METHODS if 'closed' in name])
def test_a_closed_list_needs_one_time_filter(swf: Domain, method: str) -> None:
    with swf.refused('ValidationException', 'Must specify time filter'):
        getattr(swf.client, method)(domain=DOMAIN)


@pytest.mark.parametrize('method', [name for name in METHODS if 'closed' in name])
def test_a_closed_list_takes_one_time_filter_only(swf: Domain, method: str) -> None:
    with swf.refused('ValidationException', 'Cannot specify both a startTimeFilter and a closeTimeFilter'):
        getattr(swf.client, method)(domain=DOMAIN, closeTimeFilter={'oldestDate': 0}, **ALL)


def test_an_unknown_close_status(swf: Domain) -> None:
    with swf.refused('ValidationException'):
        closed_ids(swf, closeStatusFilter={'status': 'OPEN'})


def test_counts_agree_with_the_lists(swf: Domain) -> None:
    runs = three_open(swf)
    swf.terminate(runs[0])
    assert (count(swf, 'open', **ALL), count(swf, 'closed', **ALL)) == (2, 1)
    assert count(swf, 'closed', closeTimeFilter={'oldestDate': 0}) == 1


def test_counts_take_the_filters(swf: Domain) -> None:
    swf.start('one', tagList=['red'])
    swf.terminate(swf.start('two', tagList=['red']))
    swf.start('three')
    assert count(swf, 'open', tagFilter={'tag': 'red'}, **ALL) == 1
    assert count(swf, 'open', executionFilter={'workflowId': 'three'}, **ALL) == 1
    assert count(swf, 'open', typeFilter=WORKFLOW, **ALL) == 2
    assert count(swf, 'closed', closeStatusFilter={'status': 'TERMINATED'}, **ALL) == 1
    assert count(swf, 'closed', closeStatusFilter={'status': 'FAILED'}, **ALL) == 0


def test_a_closed_execution_leaves_the_lists_with_its_retention(swf: Domain) -> None:
    swf.terminate(swf.start())
    swf.advance(8 * 86400 + 20)
    assert closed_ids(swf) == []
    assert count(swf, 'closed', **ALL) == 0


def test_closed_executions_page_by_close(swf: Domain) -> None:
    three_closed(swf)
    request = {'domain': DOMAIN, 'closeTimeFilter': {'oldestDate': 0}, 'maximumPageSize': 2}
    first = swf.client.list_closed_workflow_executions(**request)
    second = swf.client.list_closed_workflow_executions(**request, nextPageToken=first['nextPageToken'])
    assert (ids(first), ids(second)) == (['one', 'two'], ['three'])


def test_filters_and_pages_together(swf: Domain) -> None:
    for n in range(6):
        swf.start(str(n), tagList=['even' if n % 2 == 0 else 'odd'])
        swf.advance(1)
    request = {'domain': DOMAIN, 'tagFilter': {'tag': 'odd'}, 'maximumPageSize': 2, **ALL}
    first = swf.client.list_open_workflow_executions(**request)
    second = swf.client.list_open_workflow_executions(**request, nextPageToken=first['nextPageToken'])
    assert (ids(first), ids(second)) == (['5', '3'], ['1'])


def test_executions_of_another_domain_stay_there(swf: Domain) -> None:
    swf.client.register_domain(name='other', workflowExecutionRetentionPeriodInDays='1')
    swf.start()
    assert ids(swf.client.list_open_workflow_executions(domain='other', **ALL)) == []


def test_a_continued_execution_is_open_and_closed(swf: Domain) -> None:
    swf.start()
    swf.decide(continue_as_new())
    assert (open_ids(swf), closed_ids(swf)) == (['w'], ['w'])
