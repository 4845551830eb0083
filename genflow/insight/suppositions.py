"""Supposed events, for the question what the code would do if one of them happened: ``genflow why --if``."""

from __future__ import annotations

import json
from collections.abc import Callable

from attrs import frozen

from genflow.core.model import events as core
from genflow.insight.command_line import value_of
from genflow.insight.operations import Operation
from genflow.insight.view import ExecutionView

__all__ = ['Supposition', 'cancellation', 'parsed', 'settle', 'signal']


@frozen
class Supposition:
    """Something that might happen to an execution.

    Attributes:
        text: A description: ``activity 3 Ship fails``.
        events: Makes the engine's events from the id of the first one.
    """

    text: str
    events: Callable[[int], list[core.Event]]


def settle(operation: Operation, how: str, value: str | None = None) -> Supposition:
    """Supposes that an operation ends.

    Args:
        operation: One that is open.
        how: ``complete``, ``fail``, ``time out``, ``cancel``, ``terminate`` or ``fire``.
        value: The result as JSON, the reason, or the type of the time-out.
    """
    paused = operation.pause
    ref = (paused or operation).last.scheduled_id
    make = _SETTLES['fire' if paused is not None else how]
    return Supposition(f'{operation.label} {_VERBS[how]}', lambda first: [make(first, ref, value)])


_VERBS = {
    'complete': 'completes',
    'fail': 'fails',
    'time out': 'times out',
    'cancel': 'is canceled',
    'terminate': 'is terminated',
    'fire': 'fires',
}


_SETTLES: dict[str, Callable[[int, int, str | None], core.Event]] = {
    'complete': lambda number, ref, value: core.Completed(number, ref, 'null' if value is None else value),
    'fail': lambda number, ref, value: core.Failed(number, ref, value or 'supposed failure', None),
    'time out': lambda number, ref, value: core.TimedOut(number, ref, value or 'START_TO_CLOSE'),
    'cancel': lambda number, ref, _: core.Canceled(number, ref),
    'terminate': lambda number, ref, _: core.Terminated(number, ref),
    'fire': lambda number, ref, _: core.TimerFired(number, ref),
}


def signal(name: str, value: str | None = None) -> Supposition:
    """Supposes that a signal comes in; ``value`` is JSON."""
    return Supposition(f'the signal {name!r} arrives', lambda first: [core.Signaled(first, name, value or 'null')])


def cancellation() -> Supposition:
    """Supposes that somebody asks to cancel the execution."""
    return Supposition('its cancellation is requested', lambda first: [core.CancelRequested(first)])


def parsed(text: str, view: ExecutionView) -> Supposition:
    """Parses ``--if``: ``fail Ship``, ``time out 3``, ``fire 5``, ``complete 3 "ok"``, ``signal approve true``.

    Raises:
        ValueError: The text does not name an event that can happen to this execution.
    """
    words = text.split()
    if words[:1] == ['signal'] and len(words) > 1:
        rest = text.split(None, 2)[2:]
        return signal(words[1], json.dumps(value_of(rest[0])) if rest else None)
    if words == ['cancel']:
        return cancellation()
    for verb in sorted(_SETTLES, key=len, reverse=True):
        if text.startswith(f'{verb} '):
            name, _, value = text[len(verb) + 1 :].strip().partition(' ')
            operation = _open_one(name, view)
            return settle(operation, verb, _value(operation, verb, value.strip()))
    ways = ', '.join([*_SETTLES, 'signal NAME', 'cancel'])
    raise ValueError(f'{text!r} is not an event that can happen; it must begin with one of: {ways}')


_VERBS_OF: dict[str, tuple[str, ...]] = {
    'activity': ('complete', 'fail', 'time out', 'cancel'),
    'child': ('complete', 'fail', 'time out', 'cancel', 'terminate'),
    'lambda': ('complete', 'fail', 'time out'),
    'timer': ('fire',),
}
"""What can happen to an operation, by its kind."""


_TIMEOUTS_OF = {
    'activity': ('START_TO_CLOSE', 'SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT'),
    'child': ('START_TO_CLOSE',),
    'lambda': ('START_TO_CLOSE',),
}
"""The types of time-outs, by the kind of operation."""


def _value(operation: Operation, verb: str, value: str) -> str | None:
    """The value of a supposition, if the verb fits the operation.

    Raises:
        ValueError: It does not fit, or has no such time-out.
    """
    can = ('fire',) if operation.pause is not None else _VERBS_OF.get(operation.kind, ())
    if verb not in can:
        state = ' waits for its next attempt and' if operation.pause is not None else ''
        ways = ', '.join(repr(one) for one in can) or 'no operation that a name can select'
        raise ValueError(f'{operation.label}{state} cannot {verb!r}; it can: {ways}')
    if verb == 'complete' and value:
        return json.dumps(value_of(value))
    if verb == 'time out' and value:
        kind = value.upper().replace('-', '_')
        if kind not in _TIMEOUTS_OF[operation.kind]:
            known = ', '.join(_TIMEOUTS_OF[operation.kind])
            raise ValueError(f'{operation.label} has no time-out {value!r}; it has {known}')
        return kind
    return value or None


def _open_one(name: str, view: ExecutionView) -> Operation:
    for operation in view.named(name):
        if operation.is_open:
            return operation
    shown = [operation.label for operation in view.open_operations() if not operation.is_of_engine]
    known = ', '.join(shown) or 'nothing'
    raise ValueError(f'{name!r} names nothing that is open; open operations: {known}')
