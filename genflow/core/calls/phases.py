"""The phases of a call on its way to SWF and back, as a table: what happens to it, and the phase that follows.

What the code sees of a call (open, value, error) is the task's own state: a cancelled activity is settled for the code
while SWF still has it open. A phase says where the call is, and so which of SWF's limits it counts for.
:meth:`genflow.core.engine.outbox.Outbox.change` applies the table and counts.
"""

from __future__ import annotations

__all__ = [
    'AGAIN',
    'BACKLOGGED',
    'CLOSED',
    'NEW',
    'NO_SLOT',
    'OVER',
    'PAUSED',
    'QUEUED',
    'RECORDED',
    'SENT',
    'SLOT',
    'SLOT_RESERVED',
    'TIMER_SLOT',
    'TRANSITIONS',
    'WAIT_OVER',
    'WAIT_RECORDED',
    'WITH_OWN_SLOT',
    'WITH_TIMER_SLOT',
]

# The phases.

NEW = 'new'
"""It is not in the outbox: one of its arguments is still a task, or its wait has just ended."""

BACKLOGGED = 'backlogged'
"""SWF's limit on open work leaves it no slot."""

QUEUED = 'queued'
"""Its decision waits in the outbox."""

SLOT_RESERVED = 'slot reserved'
"""Likewise, and the wait before its attempt has a slot among the open timers."""

PAUSED = 'paused'
"""The history shows the timer of the wait before its attempt."""

SENT = 'sent'
"""The history shows its attempt, or that SWF refused it."""

CLOSED = 'closed'
"""SWF says nothing more of it."""

# What happens to it.

SLOT = 'there is a slot for it'
NO_SLOT = 'there is no slot for it'
TIMER_SLOT = 'there is a slot for the timer of its wait'
RECORDED = 'the history shows its attempt, or a refusal'
WAIT_RECORDED = 'the history shows the timer of its wait'
WAIT_OVER = 'its wait has ended'
AGAIN = 'it is sent again: another attempt, or after a back-off'
OVER = 'it has ended, or nobody wants it any more'

TRANSITIONS: dict[str, dict[str, str]] = {
    NEW: {SLOT: QUEUED, NO_SLOT: BACKLOGGED, OVER: CLOSED},
    BACKLOGGED: {SLOT: QUEUED, TIMER_SLOT: SLOT_RESERVED, OVER: CLOSED},
    QUEUED: {RECORDED: SENT, WAIT_RECORDED: PAUSED, NO_SLOT: BACKLOGGED, OVER: CLOSED},
    SLOT_RESERVED: {RECORDED: SENT, WAIT_RECORDED: PAUSED, OVER: CLOSED},
    PAUSED: {WAIT_OVER: NEW, OVER: CLOSED},
    SENT: {AGAIN: QUEUED, OVER: CLOSED},
    CLOSED: {OVER: CLOSED},
}
"""The phase that follows, by phase and by what happens."""

WITH_OWN_SLOT = frozenset({QUEUED, SENT})
"""The phases in which a call counts as open work of its own kind."""

WITH_TIMER_SLOT = frozenset({SLOT_RESERVED, PAUSED})
"""The phases in which it counts as an open timer."""
