"""Hints for errors of the service: a table from its error texts to what the user can do.

SWF's texts are short: ``Already Started`` names no execution, ``Unknown domain: shop`` no way to make one. The table
has a hint for each error that users of genflow meet. The error remains the client's own, so that ``except
client.exceptions.UnknownResourceFault`` works; on Python 3.11 and later the hint is added as a note.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import Any

from attrs import frozen

from genflow.swf.aws import faults

__all__ = ['explained', 'noted']

_SPENT = 'The token is no longer valid: its task was answered before, has timed out, or its execution has closed.'

_SAME_SERVICE = ' (with the same --endpoint or --db, if any)'


@frozen
class _Remedy:
    """A hint for an error code whose message matches a pattern."""

    code: str
    pattern: str
    text: str


_REMEDIES = (
    _Remedy(
        'UnknownResourceFault',
        r'Unknown domain: (?P<domain>.+)',
        '`genflow domain register {domain}{service}` registers it{same}; `genflow domain list{service}` lists the '
        'registered ones.',
    ),
    _Remedy(
        'UnknownResourceFault',
        r'Unknown type: WorkflowType=',
        'Types are registered by workers: start one that has the class, with `genflow worker TARGET --domain {domain} '
        '--task-list LIST{service}`, or check the name and version.',
    ),
    _Remedy(
        'UnknownResourceFault',
        r'Unknown execution',
        'It was never started here, or it has closed: `genflow list --closed --domain {domain}{service}` lists closed '
        'ones.',
    ),
    _Remedy(
        'ValidationException',
        r'Invalid token',
        'A task token is the value of `self.token` in the activity, complete and unchanged.',
    ),
    _Remedy(
        'WorkflowExecutionAlreadyStartedFault',
        r'',
        'An execution {workflowId} is open: wait for it (`genflow result {typedId} --domain {domain} --timeout '
        'S{service}`), end it (`genflow terminate {typedId} --domain {domain}{service}`), or start this one with '
        'another id.',
    ),
    _Remedy(
        'DefaultUndefinedFault',
        r'',
        'The type is registered without this default: give it when starting, or register another version.',
    ),
)
"""The first match counts. Its text is filled with the groups of its pattern, the members of the request, ``{service}``
(the options that reach it, after a space) and ``{same}`` (that there may be some, where they are not known)."""


class _Known(dict[str, Any]):
    """The known values for ``format_map``; an unknown one stays a placeholder for the reader to fill in."""

    def __missing__(self, name: str) -> str:
        return 'WORKFLOWID' if name == 'typedId' else name.upper()


def explained(error: BaseException, *, service: str = '', **request: Any) -> str:
    """The text of a client's error for users: the service's message, and a hint if there is one.

    Args:
        error: Any error that a client raised.
        service: The options with which a command reaches the service, as they are typed, where they are known.
        **request: The members of the request, as far as they are known.
    """
    message = faults.message_of(error)
    if message is None:
        return str(error)
    remedy = _remedy(error, request, service)
    text = f'{message} ({faults.code_of(error)})'
    return text if remedy is None else f'{text}. {remedy}'


def noted(error: BaseException, request: dict[str, Any]) -> None:
    """Adds the hint to an error as a note, which a traceback shows."""
    if sys.version_info >= (3, 11):
        remedy = _remedy(error, request)
        if remedy is not None and remedy not in getattr(error, '__notes__', ()):
            error.add_note(remedy)


def _remedy(error: BaseException, request: dict[str, Any], service: str = '') -> str | None:
    code, message = faults.code_of(error), faults.message_of(error) or ''
    if code == 'UnknownResourceFault' and 'taskToken' in request:
        return _SPENT
    for remedy in _REMEDIES:
        found = re.match(remedy.pattern, message) if code == remedy.code else None
        if found is not None:
            typed = {'typedId': shlex.quote(request['workflowId'])} if request.get('workflowId') else {}
            reached = {'service': f' {service}', 'same': ''} if service else {'service': '', 'same': _SAME_SERVICE}
            return remedy.text.format_map(_Known(request | found.groupdict() | typed | reached))
    return None
