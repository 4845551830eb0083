"""Every name that genflow writes into a history: markers, id suffixes and prefixes, envelopes, reasons.

They are a contract with every execution that runs: a name keeps its meaning for ever. Each says what it means and which
release began to write it. ``docs/design/history.md`` shows an example of each.
"""

from __future__ import annotations

__all__ = [
    'ANSWER_REFUSED',
    'ATTEMPTS_MARKER',
    'BACKLOG_MARKER',
    'BACKOFF_TIMER_PREFIX',
    'CARRYOVER_MARKER',
    'FAILURE_ENVELOPE',
    'GIVE_UP',
    'HEADERS_ENVELOPE',
    'HEARTBEAT_PART',
    'ORIGIN_MARKER',
    'PATCH_MARKER',
    'PROCESS_DIED',
    'REFUSED_MARKER',
    'REPAIR_TAG',
    'REPLY_MARKER',
    'RESTART_ENVELOPE',
    'RETRY_LATER',
    'RETRY_TIMER_SUFFIX',
    'SEED_MARKER',
    'SIDE_EFFECT_MARKER',
    'SUGGESTED_RESTART_MARKER',
    'UNKNOWN_ACTIVITY_TYPE',
    'UPDATE_SIGNAL',
    'WAKE_TIMER_PREFIX',
    'WORKER_STOPPED',
]

SIDE_EFFECT_MARKER = 'genflow.side_effect'
"""Marker: what ``side_effect`` gave. ``{"n": 1, "value": …}`` or ``{"n": 1, "reason": …, "details": …}``. Since 0.1."""

PATCH_MARKER = 'genflow.patch'
"""Marker: ``patched(id)`` was true in this decision. ``{"id": …}``. Since 0.1."""

SEED_MARKER = 'genflow.seed'
"""Marker: the seed of the execution's random numbers. ``{"seed": …}``. Since 0.1."""

ORIGIN_MARKER = 'genflow.origin'
"""Marker: ``info.first_run_id`` or ``info.root``, looked up.

``{"what": "root", "workflow_id": …, "run_id": …}``. Since 0.1.
"""

ATTEMPTS_MARKER = 'genflow.attempts'
"""Marker: attempts that one decision decided on and dropped. ``{"marks": ["4.2", …]}``. Since 0.1."""

BACKLOG_MARKER = 'genflow.held'
"""Marker: attempts whose wait found no place among the open timers. ``{"marks": ["4.2", …]}``. Since 0.1."""

CARRYOVER_MARKER = 'genflow.later'
"""Marker: attempts that may not have fitted into this response. ``{"marks": ["4.2", …]}``. Since 0.1."""

SUGGESTED_RESTART_MARKER = 'genflow.restart'
"""Marker: the restart of this decision is that of ``restart_when_suggested``. ``{"events": …}``. Since 0.1."""

UPDATE_SIGNAL = 'genflow.update'
"""Signal: an update. ``{"id": …, "name": …, "input": …}``, where ``input`` is the text of the arguments. Since 0.1."""

REPLY_MARKER = 'genflow.reply'
"""Marker: the answer to an update. ``{"id": …, "result": …}``, or reason and details. Since 0.1."""

REFUSED_MARKER = 'genflow.refused'
"""Marker: the updates of this decision that validators refused. ``{"updates": {id: reason, …}}``. Since 0.1."""

WAKE_TIMER_PREFIX = 'wake-'
"""Timer of the engine: the rest of a response that was too large follows when it fires. ``wake-12``. Since 0.1."""

BACKOFF_TIMER_PREFIX = 'backoff-'
"""Timer of the engine: what SWF refused for a rate or a quota is sent again after it. ``backoff-3``. Since 0.1."""

REPAIR_TAG = 'repair-of:'
"""Tag of a repaired run: which run it takes up, and up to which event. ``repair-of:RUN@57``. Since 0.1."""

RETRY_TIMER_SUFFIX = ';w'
"""Timer of the engine: the wait before an attempt. ``7.2;w``. Since 0.1."""

HEARTBEAT_PART = ';h='
"""Part of an activity id: the heartbeat in seconds where the call overrides the type's. ``7.2;h=10``. Since 0.1."""

RESTART_ENVELOPE = 'genflow.restart'
"""Input of a continued run that carries signals. ``{"genflow.restart": 1, "input": …, "signals": […]}``. Since 0.1."""

HEADERS_ENVELOPE = 'genflow.headers'
"""Input with the headers of middleware. ``{"genflow.headers": {"traceparent": …}, "input": …}``. Since 0.1."""

FAILURE_ENVELOPE = 'genflow.failure'
"""Details of a failure. ``{"genflow.failure": 1, "names": […], "args": […], "traceback": …}``. Since 0.1."""

UNKNOWN_ACTIVITY_TYPE = 'genflow.UnknownActivityType'
"""Reason: the worker does not know the activity's type; retried as a time-out, since other workers may. Since 0.1."""

ANSWER_REFUSED = 'genflow.AnswerRefused'
"""Reason: SWF refused the answer of an activity, so that its task was failed instead. Since 0.1."""

WORKER_STOPPED = 'genflow.WorkerStopped'
"""Reason: the worker stopped while it ran the activity; retried as a time-out. Since 0.1."""

PROCESS_DIED = 'genflow.ProcessDied'
"""Details of a time-out: the process that ran the activity ended; the attempt is not counted. Since 0.1."""

RETRY_LATER = 'genflow.core.errors.RetryLater'
"""Among the names of a failure: its first argument is the seconds before the next attempt. Since 0.1."""

GIVE_UP = 'genflow.core.errors.GiveUp'
"""Among the names of a failure: it is not tried again. Since 0.1."""
