"""Token buckets that keep a worker to the rates SWF allows, once SWF has throttled a call.

SWF gives each account, for each class of operations, a bucket that holds so many calls and is refilled at so many a
second. Which other programs draw from the same bucket, or whether a service keeps one at all (an embedded one does
not), cannot be known. So a bucket of ours lets everything pass until the first ``ThrottlingException`` of its class;
from then on calls are spaced at SWF's refill rate, until so much time has passed unused that the bucket would be full.
"""

from __future__ import annotations

import threading

from attrs import define, field

__all__ = ['CLASSES', 'Bucket', 'buckets']

CLASSES: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (
        2000,
        200,
        (
            'poll_for_activity_task',
            'poll_for_decision_task',
            'respond_activity_task_canceled',
            'respond_activity_task_completed',
            'respond_activity_task_failed',
            'respond_decision_task_completed',
            'start_workflow_execution',
        ),
    ),
    (2000, 160, ('record_activity_task_heartbeat',)),
    (2000, 60, ('get_workflow_execution_history', 'terminate_workflow_execution')),
    (2000, 30, ('request_cancel_workflow_execution', 'signal_workflow_execution')),
    (
        2000,
        6,
        (
            'count_closed_workflow_executions',
            'count_open_workflow_executions',
            'describe_activity_type',
            'describe_workflow_execution',
            'describe_workflow_type',
        ),
    ),
    (200, 60, ('register_activity_type', 'register_workflow_type')),
    (200, 48, ('list_open_workflow_executions',)),
    (
        200,
        6,
        (
            'count_pending_activity_tasks',
            'count_pending_decision_tasks',
            'delete_activity_type',
            'delete_workflow_type',
            'deprecate_activity_type',
            'deprecate_workflow_type',
            'describe_domain',
            'list_activity_types',
            'list_closed_workflow_executions',
            'list_workflow_types',
            'undeprecate_activity_type',
            'undeprecate_workflow_type',
        ),
    ),
    (100, 6, ('deprecate_domain', 'list_domains', 'register_domain', 'undeprecate_domain')),
    (50, 30, ('list_tags_for_resource', 'tag_resource', 'untag_resource')),
)
"""Bucket size, refill a second, operations: SWF's quotas, "throttling quotas for all regions"."""


@define
class Bucket:
    """The bucket of one class of operations, shared by the threads of a worker. Times are seconds of one clock.

    Attributes:
        size: Calls that it holds.
        rate: Calls a second with which it is refilled.
        is_engaged: Whether calls have to wait for it.
    """

    size: float
    rate: float
    _level: float = field(init=False)
    _at: float = 0.0
    is_engaged: bool = False
    _lock: threading.Lock = field(factory=threading.Lock, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        self._level = self.size

    def take(self, now: float) -> float:
        """Takes one token; returns the seconds to wait before the call."""
        if not self.is_engaged:
            return 0.0
        with self._lock:
            self._refill(now)
            self._level -= 1
            return max(0.0, -self._level / self.rate)

    def throttled(self, now: float) -> None:
        """SWF refused a call of this class: its bucket is empty."""
        with self._lock:
            self._refill(now)
            self.is_engaged = True
            self._level = min(self._level, 0.0)

    def _refill(self, now: float) -> None:
        self._level = min(self.size, self._level + max(0.0, now - self._at) * self.rate)
        self._at = now
        self.is_engaged = self.is_engaged and self._level < self.size


def buckets() -> dict[str, Bucket]:
    """A bucket for each class, by the names of its operations."""
    found: dict[str, Bucket] = {}
    for size, rate, operations in CLASSES:
        found.update(dict.fromkeys(operations, Bucket(size, rate)))
    return found
