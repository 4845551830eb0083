"""Reports on a mismatch: what the history shows, what the code asks for, where, and what to do about it."""

from __future__ import annotations

from typing import Any

import attrs

from genflow.core.calls.call import Call
from genflow.core.engine.pending_close import HOW, Cancel, Complete, ContinueWith, Fail, PendingClose
from genflow.core.engine.state import State
from genflow.core.errors import NondeterminismError
from genflow.core.model import events
from genflow.core.model.wire_names import PATCH_MARKER
from genflow.core.payloads.envelopes import input_of
from genflow.core.payloads.hooks import excerpt
from genflow.core.text import place, raised_at, short

__all__ = ['mismatch']

PAYLOADS = frozenset({'input', 'result', 'details', 'reason', 'control'})

PATCH_HINT = (
    'If the code was changed while this execution ran, guard the change with `if self.patched("change-id"):` and keep '
    'the old path for executions that are already under way, or give the workflow another version.'
)

CLOSES = {
    'completed': 'WorkflowExecutionCompleted',
    'failed': 'WorkflowExecutionFailed',
    'canceled': 'WorkflowExecutionCanceled',
    'continued': 'WorkflowExecutionContinuedAsNew',
}


def payload_shown(state: State, text: str | None) -> str:
    """A payload as a report may show it: its length where the report goes into a log."""
    text = input_of(text)
    if text is None:
        return 'nothing'
    return excerpt(text, 200) if state.shows_payloads else f'{len(text):,} characters, not shown in a log'


def mismatch(
    state: State, event: Any, asked: Any, what: str = 'the code does not match the history'
) -> NondeterminismError:
    """The report on one disagreement.

    Args:
        state: The state of the execution.
        event: What the history shows, or ``None`` where it shows nothing more.
        asked: The entry, marker or close that the code asks for, or ``None`` where it asks nothing more.
        what: The first line.
    """
    lines = [what]
    if event is None:
        lines.append(f'- recorded: nothing more in the decision of event {state.started_id}')
    else:
        lines.append(f'- recorded: event {event.id} {_shown(state, event)}')
    lines += _asked(state, asked)
    lines += [f'  agreed: event {agreed.id} {entry.label}' for agreed, entry in state.recent]
    if isinstance(event, events.MarkerRecorded) and event.name == PATCH_MARKER:
        lines.append('A patch that was removed from the code needs `self.deprecate_patch("change-id")` in its place.')
    lines.append(PATCH_HINT)
    event_id = None if event is None else event.id
    return NondeterminismError('\n'.join(lines), event_id=event_id, execution=str(state.info))


def _asked(state: State, asked: Any) -> list[str]:
    """What the code asks for, and the line of the user's that does; an end that nobody expected is often a mistake."""
    pending_close = state.pending_close
    if asked is not None and type(asked) not in HOW:
        where = f'called at {place(asked.where)}' if isinstance(asked, Call) else _stands(state)
        return [f'+ asked:    {_shown(state, asked)}', where]
    if pending_close is not None:
        result = f', result={payload_shown(state, pending_close.result)}' if isinstance(pending_close, Complete) else ''
        return [f'+ asked:    {_ended(state, pending_close)}{result}']
    if asked is not None:
        return ['+ asked:    a restart, as restart_when_suggested says', state.describe_blocked()]
    return ['+ asked:    nothing more', state.describe_blocked()]


def _stands(state: State) -> str:
    pending_close = state.pending_close
    return state.describe_blocked() if pending_close is None else _ended(state, pending_close)


def _ended(state: State, pending_close: PendingClose) -> str:
    """How the code ended, and where."""
    root = state.root
    if isinstance(pending_close, Fail) and pending_close.left is not None:
        where = place(getattr(pending_close.left, 'where', None))
        return f'run returned, but nothing retrieved the failure of {pending_close.left.label} ({where})'
    if isinstance(pending_close, Fail):
        what = short(pending_close.error, 200) if state.shows_payloads else type(pending_close.error).__qualname__
        return f'run raised {what} ({raised_at(pending_close.error)})'
    if isinstance(pending_close, Cancel):
        return 'run raised the cancellation'
    how = 'returned a restart' if isinstance(pending_close, ContinueWith) else 'returned'
    return f'run {how} ({place(None if root is None else root.returned_at)})'


def _shown(state: State, value: Any) -> str:
    """Type and members of an event or of what is asked for, on one line."""
    if hasattr(value, 'description'):
        members = value.description()
        kind = members.pop('kind')
    else:
        kind = CLOSES.get(getattr(value, 'how', ''), '') if type(value) is events.Closed else type(value).__name__
        members = {
            name: found
            for name, found in attrs.asdict(value, recurse=False).items()
            if name not in ('id', 'decision_id', 'how')
        }
    words = [
        f'{name}={payload_shown(state, found) if name in PAYLOADS and isinstance(found, str) else repr(found)}'
        for name, found in members.items()
    ]
    return f'{kind} ' + ', '.join(word for word in words if not word.endswith('=None'))
