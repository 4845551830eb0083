"""The cache of live executions between decisions, so that a history is read and replayed only once.

The events of a short history are kept beside its execution. SWF may refuse a close because something came meanwhile,
and the decision is then made again from event 1. So of the last executions that closed the cache keeps these events,
and no history is read once more for it.

Taking an execution out removes it, so that no two threads ever advance the same one; it is put back only when the
service has accepted its answer. What must make room is closed on the thread of the decider that put something in, since
closing a generator runs the user's ``finally`` blocks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import chain
from typing import Any, Protocol

from attrs import define, field, frozen

from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.tasks.task_events import Event, TaskEvents
from genflow.swf.worker.response_delay import UNDELAYED, ResponseDelay

__all__ = ['CachedExecution', 'ClosingExecution', 'Live', 'StickyCache', 'continuation']

MAX_EXECUTIONS = 1_000
MAX_BYTES = 256 * 2**20
BYTES_PER_EVENT = 700
"""Estimated memory per event of a history, in bytes: two KiB for a settled activity, which has three to six events."""


MAX_RECORD = 1_000
"""Events of a history that are kept, so that it can be replayed; a longer one is read again instead."""

BYTES_PER_RECORDED = 400
"""Estimated memory of a recorded event, in bytes."""

MAX_CLOSING = 100
"""The most closed executions whose events are kept, in case SWF has refused the close."""


class Live(Protocol):
    """The part of the engine's execution that the cache uses."""

    @property
    def answered(self) -> int: ...

    @property
    def closed(self) -> bool: ...

    def close(self) -> None: ...


@define(eq=False)
class CachedExecution:
    """A live execution in the cache. It changes only while it is taken out.

    Attributes:
        execution: The engine's.
        task_list: The original task list, to which its decision tasks go back if the worker does not poll them from its
            own.
        events: The length of its history.
        pace: The delay of its answers.
        record: The events that it has processed, in order; ``None`` if they are not kept.
        memory: The :attr:`WorkflowRun.memory` of middleware; ``None`` without middleware.
        size: Its estimated memory, in bytes.
    """

    execution: Any
    task_list: str | None
    events: int
    pace: ResponseDelay = UNDELAYED
    record: list[Any] | None = None
    memory: dict[Any, Any] | None = None
    size: int = field(init=False)

    @size.default
    def _estimated(self) -> int:
        return self.events * BYTES_PER_EVENT + len(self.record or ()) * BYTES_PER_RECORDED

    def records(self, length: int) -> bool:
        """Whether its events may have to be kept, with a history of this length; at least half of it means something.

        Only then they need to be there when it has been advanced.
        """
        return self.record is not None and length <= 2 * MAX_RECORD

    def advanced(self, length: int, found: Sequence[Any] | None) -> None:
        """Its history is so long now; it has processed these further events, or some that are not kept."""
        self.events = length
        if found is None or self.record is None or len(self.record) + len(found) > MAX_RECORD:
            self.record = None
        else:
            self.record.extend(found)
        self.size = self._estimated()


@frozen
class ClosingExecution:
    """The kept data of an execution whose close was sent.

    Attributes:
        answered: The DecisionTaskStarted that was answered with the close.
        task_list: As for :class:`CachedExecution`.
        record: All events up to that one.
        memory: As for :class:`CachedExecution`.
    """

    answered: int
    task_list: str | None
    record: list[Any]
    memory: dict[Any, Any] | None = None


@define(eq=False)
class StickyCache:
    """Live executions by run id, the longest unused making room for others.

    Attributes:
        max_executions: How many are kept.
        max_bytes: How much memory they may take, as estimated from the lengths of their histories.
    """

    max_executions: int = MAX_EXECUTIONS
    max_bytes: int = MAX_BYTES
    _kept: OrderedDict[str, CachedExecution] = field(factory=OrderedDict, init=False)
    _closing: OrderedDict[str, ClosingExecution] = field(factory=OrderedDict, init=False)
    _bytes: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, run_id: str) -> CachedExecution | None:
        """Removes and returns the execution of a run."""
        with self._lock:
            return self._remove(run_id)

    def put(self, run_id: str, kept: CachedExecution) -> None:
        """Keeps an execution; closes those that no longer fit, and one of the same run that is there already.

        There is one if the next decision was made from event 1 before this execution was put back.
        """
        with self._lock:
            before = self._remove(run_id)
            self._kept[run_id] = kept
            self._bytes += kept.size
            evicted = [before] if before is not None else []
            evicted += self._evict()
        for other in evicted:
            other.execution.close()

    def remember(self, run_id: str, closing: ClosingExecution) -> None:
        """Keeps the events of an execution whose close was sent."""
        with self._lock:
            self._closing[run_id] = closing
            if len(self._closing) > min(MAX_CLOSING, self.max_executions):
                self._closing.popitem(last=False)

    def take_closing(self, run_id: str) -> ClosingExecution | None:
        """Removes and returns the kept data of a run whose close was sent."""
        with self._lock:
            return self._closing.pop(run_id, None)

    def close_all(self) -> None:
        """Closes all executions, and from now on every one that is put in."""
        with self._lock:
            self.max_executions = 0
            self._closing.clear()
            evicted = list(self._evict())
        for other in evicted:
            other.execution.close()

    def _remove(self, run_id: str) -> CachedExecution | None:
        kept = self._kept.pop(run_id, None)
        if kept is not None:
            self._bytes -= kept.size
        return kept

    def _evict(self) -> Any:
        while self._kept and (len(self._kept) > self.max_executions or self._bytes > self.max_bytes):
            _, other = self._kept.popitem(last=False)
            self._bytes -= other.size
            yield other


def continuation(task: DecisionTask, answered: int) -> TaskEvents | None:
    """The events with which an execution that last answered event ``answered`` goes on.

    Returns:
        The events from that ``DecisionTaskStarted`` on, ``None`` where the history does not go on from there: another
        worker decided meanwhile, or the answer was not the one that was recorded.
    """
    before = answered - task.events.first_id
    if not answered or task.previous_id != answered or before < 0:
        return None
    events = task.events.since(before)
    undated = chain.from_iterable(events.pages())
    first = next(undated, None)
    if first is None or first['eventId'] != answered or first['eventType'] != 'DecisionTaskStarted':
        return None
    for event in undated:
        if _completes(event, answered):
            return events
    return None


def _completes(event: Event, started_id: int) -> bool:
    if event['eventType'] != 'DecisionTaskCompleted':
        return False
    completed: int = event['decisionTaskCompletedEventAttributes']['startedEventId']
    return completed == started_id
