"""The table of findings: the first that applies is the first cause.

The rules are in the order of how much they explain. How an execution closed comes first. Next is what keeps its code
from continuing, since nothing else matters until that is fixed. Then come who takes its tasks, what SWF refused, its
activities, children and signals, and limits. Notes, which explain a normal state, and settings come last.
"""

from __future__ import annotations

from genflow.insight.finding import CAUSE, NOTE, SETTING, Rule
from genflow.insight.rules import activities, closed, decisions, limits, refusals, waits

__all__ = ['RULES']

RULES = (
    Rule('event-limit', CAUSE, closed.event_limit, closed=True),
    Rule('ended-with-parent', CAUSE, closed.policy_applied, closed=True),
    Rule('failed-by-activity', CAUSE, closed.failed_by_activity, closed=True),
    Rule('failed-by-child', CAUSE, closed.failed_by_child, closed=True),
    Rule('failed-by-timeout', CAUSE, closed.failed_by_timeout, closed=True),
    Rule('failed-by-lambda', CAUSE, closed.failed_by_lambda, closed=True),
    Rule('failed-by-refusal', CAUSE, closed.failed_by_refusal, closed=True),
    Rule('failed-unscheduled', CAUSE, closed.failed_unscheduled, closed=True),
    Rule('failed-by-code', CAUSE, closed.failed_by_code, closed=True),
    Rule('execution-timed-out', CAUSE, closed.execution_timed_out, closed=True),
    Rule('terminated', CAUSE, closed.terminated, closed=True),
    Rule('canceled', CAUSE, closed.canceled, closed=True),
    Rule('history-mismatch', CAUSE, decisions.nondeterminism),
    Rule('stalled', CAUSE, decisions.stalled),
    Rule('unreadable', CAUSE, decisions.unreadable),
    Rule('decision-timed-out', CAUSE, decisions.decision_timed_out),
    Rule('decision-slow', CAUSE, decisions.decision_slow),
    Rule('decision-list-misspelt', CAUSE, decisions.decision_list_misspelt),
    Rule('workflow-type-gone', CAUSE, decisions.workflow_type_gone),
    Rule('decision-not-polled', CAUSE, decisions.decision_not_polled),
    Rule('decision-in-line', CAUSE, decisions.decision_in_line),
    Rule('activity-unregistered', CAUSE, refusals.activity_unregistered),
    Rule('child-unregistered', CAUSE, refusals.child_unregistered),
    Rule('type-deprecated', CAUSE, refusals.type_deprecated),
    Rule('default-undefined', CAUSE, refusals.default_undefined),
    Rule('not-permitted', CAUSE, refusals.not_permitted),
    Rule('child-id-taken', CAUSE, refusals.id_taken),
    Rule('lambda-refused', CAUSE, refusals.lambda_refused),
    Rule('undelivered', CAUSE, refusals.undelivered),
    Rule('throttled', CAUSE, refusals.throttled),
    Rule('close-refused', CAUSE, refusals.close_refused),
    Rule('many-events', CAUSE, limits.many_events),
    Rule('many-open', CAUSE, limits.many_open),
    Rule('cancel-unanswered', CAUSE, activities.cancel_unanswered),
    Rule('cancel-unfinished', CAUSE, waits.cancel_unfinished),
    Rule('child-stuck', CAUSE, waits.child_stuck),
    Rule('retry-too-late', CAUSE, activities.retry_too_late),
    Rule('activity-list-misspelt', CAUSE, activities.activity_list_misspelt),
    Rule('activity-type-missing', CAUSE, activities.activity_type_missing),
    Rule('activity-not-polled', CAUSE, activities.activity_not_polled),
    Rule('activity-in-line', CAUSE, activities.activity_in_line),
    Rule('heartbeats-lost', CAUSE, activities.heartbeats_lost),
    Rule('retrying', CAUSE, activities.retrying),
    Rule('endless-activity', CAUSE, activities.endless_activity),
    Rule('worker-silent', CAUSE, activities.worker_silent),
    Rule('heartbeat-overdue', CAUSE, activities.heartbeat_overdue),
    Rule('signal-undeclared', CAUSE, waits.signal_undeclared),
    Rule('parent-closed', CAUSE, waits.parent_closed),
    Rule('abandoned-children', CAUSE, waits.abandoned_children, closed=True),
    Rule('large-payload', CAUSE, limits.large_payload),
    Rule('old', CAUSE, limits.old),
    Rule('expires-soon', CAUSE, limits.expires_soon),
    Rule('idle', NOTE, waits.idle),
    Rule('signal-awaited', NOTE, waits.signal_awaited),
    Rule('signals-unread', NOTE, waits.signals_unread),
    Rule('running-long', NOTE, activities.running_long),
    Rule('sleeping', NOTE, waits.sleeping),
    Rule('continued', NOTE, closed.continued, closed=True),
    Rule('heartbeat-too-long', SETTING, limits.heartbeat_too_long),
    Rule('no-start-to-close', SETTING, limits.no_start_to_close),
    Rule('outlives-execution', SETTING, limits.outlives_execution),
    Rule('retry-outlives-execution', SETTING, limits.retry_outlives_execution),
    Rule('endless-decisions', SETTING, limits.endless_decisions),
)
"""Every rule, by rank."""
