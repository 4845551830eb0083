"""Every metric of a worker and of a client: its name, its meaning and its labels."""

from __future__ import annotations

from genflow.exposition import SECONDS, Instrument

__all__ = ['APART', 'INSTRUMENTS', 'OBSERVED', 'WORKER']

TASKS = Instrument('genflow_tasks_total', 'counter', 'Tasks by kind and outcome.', ('kind', 'result'))
EVENTS = Instrument('genflow_events_read_total', 'counter', 'History events received with decision tasks.')
CONTINUED = Instrument(
    'genflow_decisions_continued_total', 'counter', 'Decisions of executions that were still cached.'
)
HELD = Instrument('genflow_executions_held', 'gauge', 'Executions whose decisions are left unanswered.')
IN_MEMORY = Instrument('genflow_executions_in_memory', 'gauge', 'Executions cached between decisions.')
POLLS = Instrument('genflow_polls_total', 'counter', 'Polls, by kind and result.', ('kind', 'result'))
THROTTLED = Instrument('genflow_calls_throttled_total', 'counter', 'Calls that SWF throttled.', ('operation',))
REPEATED = Instrument(
    'genflow_calls_repeated_total', 'counter', 'Calls repeated after a transient failure.', ('operation',)
)

WORKER = (TASKS, EVENTS, CONTINUED, HELD, IN_MEMORY, POLLS, THROTTLED, REPEATED)
"""The metrics that a worker counts without middleware."""

SCHEDULE_TO_START = Instrument(
    'genflow_schedule_to_start_seconds',
    'histogram',
    'Time from scheduling to start by a worker, by kind of task and type.',
    ('kind', 'name'),
    SECONDS,
)
DECISION = Instrument(
    'genflow_decision_seconds', 'histogram', 'Time to compute a decision, replay included.', ('workflow',), SECONDS
)
REPLAYED = Instrument(
    'genflow_replayed_events',
    'histogram',
    'Events replayed for a decision; one value for each replay.',
    ('workflow',),
    (10, 30, 100, 300, 1000, 3000, 10_000, 25_000),
)
ACTIVITY = Instrument(
    'genflow_activity_seconds', 'histogram', 'Time that an attempt of an activity ran.', ('activity', 'result'), SECONDS
)
SCHEDULED = Instrument(
    'genflow_operations_scheduled_total',
    'counter',
    'Activities, children, timers and restarts that decisions scheduled.',
    ('kind', 'name'),
)
RETRIES = Instrument('genflow_retries_total', 'counter', 'Scheduled attempts after the first.', ('kind', 'name'))
STARTED = Instrument(
    'genflow_executions_started_total', 'counter', 'Runs whose first decision this worker made.', ('workflow',)
)
CLOSED = Instrument(
    'genflow_executions_closed_total', 'counter', 'Runs closed by a decision, by result.', ('workflow', 'result')
)
EXECUTION = Instrument(
    'genflow_execution_seconds',
    'histogram',
    'Time from the start of a run to its close.',
    ('workflow', 'result'),
    SECONDS,
)
CLIENT_CALLS = Instrument(
    'genflow_client_calls_total', 'counter', 'Calls of a genflow.Client, by result.', ('operation', 'result')
)

OBSERVED = (
    SCHEDULE_TO_START,
    DECISION,
    REPLAYED,
    ACTIVITY,
    SCHEDULED,
    RETRIES,
    STARTED,
    CLOSED,
    EXECUTION,
    CLIENT_CALLS,
)
"""The metrics that need middleware."""

INSTRUMENTS = (*WORKER, *OBSERVED)

APART = {'decision events': EVENTS, 'decision continued': CONTINUED}
"""Counts of a worker that have a metric of their own instead of a label of ``genflow_tasks_total``."""
