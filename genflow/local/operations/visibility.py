"""Lists and counts: of executions by filter, of tasks by task list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import astuple, evolve

from genflow.local.json_text import encode
from genflow.local.operations.answers import Answer, Reading
from genflow.local.operations.executions import stored_info
from genflow.local.operations.lookup import domain_of
from genflow.local.operations.paging import page_size, page_start
from genflow.local.requests import faults
from genflow.local.requests.tokens import page_token
from genflow.local.state.state import State
from genflow.local.store import Store
from genflow.local.store.visibility import Query

__all__ = ['CALLS']

EXCLUSIVE = ('executionFilter', 'typeFilter', 'tagFilter', 'closeStatusFilter')
"""At most one of these in a request."""


def query_of(request: dict[str, Any], now: int, *, open: bool) -> Query:
    """What the request asks for, without a page.

    Raises:
        ServiceError: ValidationException, for filters that do not go together.
    """
    check_filters(request)
    by_close = 'closeTimeFilter' in request
    bounds = request['closeTimeFilter'] if by_close else request['startTimeFilter']
    latest = bounds.get('latestDate')
    kind = request.get('typeFilter', {})
    return Query(
        domain=request['domain'],
        open=open,
        moment='closed' if by_close else 'started',
        oldest=round(bounds['oldestDate'] * 1000),
        latest=None if latest is None else round(latest * 1000),
        now=now,
        workflow_id=request.get('executionFilter', {}).get('workflowId'),
        type_name=kind.get('name'),
        type_version=kind.get('version') or None,
        tag=request.get('tagFilter', {}).get('tag'),
        status=request.get('closeStatusFilter', {}).get('status'),
        reverse=bool(request.get('reverseOrder')),
    )


def check_filters(request: dict[str, Any]) -> None:
    """Refuse no time filter, two of them, or two others."""
    times = [name for name in ('startTimeFilter', 'closeTimeFilter') if name in request]
    if not times:
        raise faults.invalid('Must specify time filter')
    if len(times) > 1:
        raise faults.invalid('Cannot specify both a startTimeFilter and a closeTimeFilter')
    others = [name for name in EXCLUSIVE if name in request]
    if len(others) > 1:
        words = ', '.join(others)
        raise faults.invalid(f'Cannot specify more than one exclusive filters in the same query: [{words}]')


def list_executions(state: State, request: dict[str, Any], now: int, *, open: bool) -> Reading:
    """A page of executions, newest first unless reversed."""
    query = query_of(request, now, open=open)
    domain_of(state, request)
    name = encode([astuple(evolve(query, now=0))])
    start = page_start(state, request, now, name)
    size = page_size(state, request)
    asked = evolve(query, after=tuple(start) if start else None, limit=size + 1)

    def read(store: Store) -> dict[str, Any]:
        rows = store.find(asked)
        answer: dict[str, Any] = {'executionInfos': [stored_info(row) for row in rows[:size]]}
        if len(rows) > size:
            last = rows[size - 1]
            answer['nextPageToken'] = page_token(now, name, [last[query.moment], last['key']])
        return answer

    return Reading(read)


def count_executions(state: State, request: dict[str, Any], now: int, *, open: bool) -> Reading:
    """How many executions there are; always exact."""
    query = query_of(request, now, open=open)
    domain_of(state, request)
    return Reading(lambda store: {'count': store.count(query), 'truncated': False})


def count_pending(state: State, request: dict[str, Any], now: int, *, kind: str) -> dict[str, Any]:
    """How many tasks wait in a list; a task that was started waits no more."""
    domain = domain_of(state, request)
    queue = state.queues.get((kind, domain.name, request['taskList']['name']))
    return {'count': len(queue) if queue else 0, 'truncated': False}


CALLS: dict[str, Callable[[State, dict[str, Any], int], Answer]] = {
    'ListOpenWorkflowExecutions': partial(list_executions, open=True),
    'ListClosedWorkflowExecutions': partial(list_executions, open=False),
    'CountOpenWorkflowExecutions': partial(count_executions, open=True),
    'CountClosedWorkflowExecutions': partial(count_executions, open=False),
    'CountPendingActivityTasks': partial(count_pending, kind='activity'),
    'CountPendingDecisionTasks': partial(count_pending, kind='decision'),
}
