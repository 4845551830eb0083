"""SWF's causes for refusing what a decision asked for: which mean "later", and what to do about the others."""

from __future__ import annotations

from typing import Any

from genflow.core.errors import HistoryError

__all__ = ['NOT_PERMITTED', 'UNHANDLED', 'WAYS_OUT', 'is_backpressure', 'refused_engine']

NOT_PERMITTED = 'OPERATION_NOT_PERMITTED'

UNHANDLED = 'UNHANDLED_DECISION'
"""The cause with which SWF refuses a close: new events arrived while the decision was made."""

WAYS_OUT = {
    'ACTIVITY_TYPE_DOES_NOT_EXIST': 'no worker has registered this type: import or scan the module that has its class',
    'WORKFLOW_TYPE_DOES_NOT_EXIST': 'no worker has registered this type: import or scan the module that has its class',
    'WORKFLOW_ALREADY_RUNNING': 'an execution with this workflow id is open: give the child another one',
}
"""What to do about some of the causes for which SWF refuses a call."""


def is_backpressure(cause: str) -> bool:
    """Whether a cause says "not now" rather than "never": a rate, or a limit on open work."""
    return cause.endswith(('_RATE_EXCEEDED', '_LIMIT_EXCEEDED'))


def refused_engine(event: Any) -> HistoryError:
    """The error if SWF refuses a request of the engine itself, such as a marker or an engine timer."""
    return HistoryError(
        f'event {event.id}: SWF refused {getattr(event, "how", None) or event.key!r} with {event.cause}; the worker '
        'that answers this execution needs the permission for it'
    )
