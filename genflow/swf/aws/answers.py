"""Checks the shape of a service's response before anything is read from it.

A proxy's error page, a truncated response or a response of another service may arrive with a success status. A client
then returns an empty dict, or fails in its own parser. Both count as an outage: the call is repeated where that is
safe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

__all__ = ['MalformedAnswer', 'checked', 'is_malformed']


class MalformedAnswer(Exception):
    """A response does not have the shape of SWF's."""


_PARSERS = ('botocore.', 'boto.', 'dateutil.', 'json.', 'genflow.swf.aws.boto2')
"""The modules in which clients parse responses."""


_EVENT_ID, _EVENT_TYPE = itemgetter('eventId'), itemgetter('eventType')


def is_malformed(error: BaseException) -> bool:
    """Whether a client could not parse a response."""
    if isinstance(error, MalformedAnswer):
        return True
    if not isinstance(error, (AttributeError, TypeError, LookupError, ValueError)):
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and f'{trace.tb_frame.f_globals.get("__name__")}.'.startswith(_PARSERS)


def checked(operation: str, answer: Any) -> dict[str, Any]:
    """A response that has every member which is read without a check.

    Raises:
        MalformedAnswer: It is not a dict, lacks a member, or has a member of the wrong type.
    """
    check = _CHECKS.get(operation)
    if answer is None and check is None:
        return {}
    if not isinstance(answer, dict):
        raise MalformedAnswer(f'the response to {operation} is a {type(answer).__name__}, not an object')
    if check is not None:
        wrong = check(answer)
        if wrong is not None:
            raise MalformedAnswer(f'the response to {operation} has the wrong shape: {wrong}')
    return answer


def _members(**kinds: type) -> Callable[[Mapping[str, Any]], str | None]:
    """A check that members exist and have these types."""

    def check(answer: Mapping[str, Any]) -> str | None:
        for name, kind in kinds.items():
            found = answer.get(name)
            if not isinstance(found, kind) or isinstance(found, bool):
                return f'{name} is {"missing" if found is None else f"a {type(found).__name__}"}'
        return None

    return check


def _events(answer: Mapping[str, Any]) -> str | None:
    events = answer.get('events')
    if not isinstance(events, list):
        return f'events is {"missing" if events is None else f"a {type(events).__name__}"}'
    try:
        ids, kinds = list(map(_EVENT_ID, events)), list(map(_EVENT_TYPE, events))  # a thousand in a loop of C
    except (LookupError, TypeError):
        return 'an event without id and type'
    right = set(map(type, ids)) <= {int} and None not in kinds
    right = right and all(issubclass(kind, dict) for kind in set(map(type, events)))
    return None if right else 'an event without id and type'


def _poll(*checks: Callable[[Mapping[str, Any]], str | None]) -> Callable[[Mapping[str, Any]], str | None]:
    """A check of a poll's response: SWF always sends an event id, which is 0 if there is no task."""

    def check(answer: Mapping[str, Any]) -> str | None:
        if not answer.get('taskToken'):
            if answer.get('startedEventId'):
                return 'taskToken is missing'
            # Clients other than botocore's, which brings metadata, may give nothing at all for an empty poll.
            return _members(startedEventId=int)(answer) if 'ResponseMetadata' in answer else None
        return next((wrong for wrong in (check(answer) for check in checks) if wrong is not None), None)

    return check


def _named(member: str, *names: str) -> Callable[[Mapping[str, Any]], str | None]:
    """A check that a member is an object of texts."""

    def check(answer: Mapping[str, Any]) -> str | None:
        found = answer.get(member)
        if not isinstance(found, dict):
            return f'{member} is {"missing" if found is None else f"a {type(found).__name__}"}'
        wrong = _members(**dict.fromkeys(names, str))(found)
        return None if wrong is None else f'{member}.{wrong}'

    return check


_EXECUTION = _named('workflowExecution', 'workflowId', 'runId')

_CHECKS: dict[str, Callable[[Mapping[str, Any]], str | None]] = {
    'poll_for_decision_task': _poll(
        _members(taskToken=str, startedEventId=int), _EXECUTION, _named('workflowType', 'name', 'version'), _events
    ),
    'poll_for_activity_task': _poll(
        _members(taskToken=str, startedEventId=int, activityId=str),
        _EXECUTION,
        _named('activityType', 'name', 'version'),
    ),
    'get_workflow_execution_history': _events,
    'start_workflow_execution': _members(runId=str),
    'list_open_workflow_executions': _members(executionInfos=list),
    'list_closed_workflow_executions': _members(executionInfos=list),
}
"""The members that are read from a response without a check, by operation."""
