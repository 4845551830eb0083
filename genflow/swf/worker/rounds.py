"""Rounds: one thread polls, handles and answers many tasks of the embedded service at a time.

Theory of operation. With the embedded service a step takes four calls. Passing each to another thread and to the disk
would cost more than all the rest. So one thread, the *leader*, works in rounds: it makes the decisions that are ready,
polls the activities that are ready then, has one commit write all of that together with the answers of the round
before, and runs the activities. Its client (``DeferringSWF``) defers answers until that commit. Only one order matters:
the start of an activity is in the file before its code runs.

Slow code must not delay other tasks. An activity runs in the round only if its type has lately taken less than
:data:`SHORT`; all others run on the worker's activity threads. A watcher checks the leader: if one piece of user code
takes longer than :data:`OVERDUE`, another thread becomes the leader and continues with the remaining tasks; the old one
finishes its task, answers it, and ends.

At most so many activities run at a time as the worker was given threads for, the round itself counting as one. The
worker polls only for tasks that it can run now, so that other workers on the same list get the rest. Decisions have no
such bound, since several are made at a time only if one overruns.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from attrs import Factory, define, field

from genflow.steady_time import monotonic
from genflow.swf.aws import faults
from genflow.swf.aws.client import Backoff
from genflow.swf.tasks.polled_tasks import ActivityTask, DecisionTask
from genflow.swf.tasks.poller import Poller, activity_task_of
from genflow.swf.worker.activity_runner import ActivityRunner
from genflow.swf.worker.decider import Decider
from genflow.swf.worker.failure_log import FailureLog
from genflow.swf.worker.settling import Settling
from genflow.swf.worker.thread_pool import ThreadPool

__all__ = ['OVERDUE', 'SHORT', 'Rounds', 'Speeds']

log = logging.getLogger('genflow.worker')

SHORT = 0.002
"""Seconds that an activity may take to be run in a round."""

LATEST = 3
"""How many activities of a type, the last ones, say whether it is short."""

OVERDUE = 0.005
"""Seconds of one task's user code after which another thread becomes the leader."""

PORTION = 64
"""The most tasks of a kind that are polled at a time."""

MAX_OVERRUNNING = 4
"""The most decisions that may overrun at a time, each on a thread of its own, before the others wait."""

PLACE_INTERVAL = 0.1
"""Seconds between two checks whether waiting for a place on the event loop has become pointless."""

TURN = 0.05
"""Seconds of decisions, or of activities, after which a leader turns to the other kind of tasks."""

IDLE = 60.0
"""Seconds after which a leader polls without having been notified."""

Handle = Callable[[Callable[[Any], Any], Any], Any]
Taken = tuple[Poller, Any, dict[str, Any], int]
Spawn = Callable[[str, Callable[[], None]], None]


@define(eq=False)
class Speeds:
    """The latest durations of activities, by type. A type without any counts as slow.

    Attributes:
        short: The types that may run in a round: at least one of their last three activities was short.
    """

    short: set[tuple[str, str]] = field(factory=set, init=False)
    _slow: dict[tuple[str, str], int] = field(factory=dict, init=False)  # how many were since the last short one

    def took(self, kind: tuple[str, str], seconds: float) -> None:
        """Records the duration of an activity."""
        if seconds >= SHORT:
            slow = self._slow[kind] = self._slow.get(kind, 0) + 1
            if slow >= LATEST:
                self.short.discard(kind)
        elif kind in self._slow or kind not in self.short:
            self._slow.pop(kind, None)
            self.short.add(kind)

    def overran(self, kind: tuple[str, str]) -> None:
        """Records that an activity delayed a round; its type is slow until one has been short again."""
        self.short.discard(kind)


@define(eq=False)
class _Slots:
    """The slots of running activities.

    Attributes:
        free: The number of free slots.
    """

    free: int
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)

    def take(self, most: int) -> int:
        """Takes free slots, at most so many; returns how many."""
        with self._lock:
            taken = min(most, self.free)
            self.free -= taken
            return taken

    def give_back(self, number: int) -> None:
        """Frees so many slots."""
        with self._lock:
            self.free += number


@define(eq=False)
class _Lead:
    """One thread's time as the leader.

    Attributes:
        decided: The runs whose executions it put into the cache since it last settled.
    """

    decided: list[str] = field(factory=list)


@define(eq=False)
class Rounds:
    """The rounds of a worker for one task list.

    Attributes:
        client: Defers answers, and takes tasks.
        settling: Commits the deferred answers.
        decider: Answers decision tasks through that client.
        runner: Runs activities and answers them through that client.
        deciding: Pollers of the lists on which decision tasks come.
        performing: The poller of the list on which activity tasks come.
        activities: How many activities may run at a time.
        handle: Handles a task safely, given what handles it and the task.
        finish: As ``handle``, for the rest of a task that was handled before.
        tasks_left: The most tasks to poll; 0 when the worker drains.
        pause: Waits so many seconds; true when waiting is pointless because the program is about to stop.
        spawn: Starts a thread of the worker, given its name and what it does.
        clock: A monotonic clock in seconds, for delayed answers.
        failures: Logs tasks that cannot be read.
    """

    client: Any
    settling: Settling
    decider: Decider
    runner: ActivityRunner
    deciding: Sequence[Poller]
    performing: Sequence[Poller]
    activities: int
    handle: Handle
    finish: Handle
    tasks_left: Callable[[], float]
    pause: Callable[[float], bool]
    spawn: Spawn
    clock: Callable[[], float] = monotonic
    speeds: Speeds = Factory(Speeds)
    failures: FailureLog = Factory(FailureLog)
    _threads: ThreadPool = field(init=False, repr=False)
    _numbers: Iterator[int] = field(factory=itertools.count, init=False, repr=False)
    _slots: _Slots = field(init=False, repr=False)
    _bell: threading.Event = field(factory=threading.Event, init=False, repr=False)
    _places: list[Any] = field(factory=list, init=False)
    _decisions: deque[Taken] = field(factory=deque, init=False)
    _held_back: list[tuple[float, int, DecisionTask, Callable[[], None]]] = field(factory=list, init=False)
    _activities: deque[ActivityTask] = field(factory=deque, init=False)
    _has_slot: bool = field(default=False, init=False)
    _trimmed: dict[str, bool] = field(factory=dict, init=False)
    _requests: dict[tuple[str, str, bool], dict[str, Any]] = field(factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False, repr=False)
    _leader: _Lead = field(factory=_Lead, init=False)
    _overrunning: int = field(default=0, init=False)
    _busy_since: float | None = field(default=None, init=False)  # in a task's user code
    _busy_with: tuple[str, str] | None = field(default=None, init=False)  # an activity's type; None for a decision
    _awake: threading.Event = field(factory=threading.Event, init=False, repr=False)
    _over: threading.Event = field(factory=threading.Event, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._slots = _Slots(self.activities)
        self._threads = ThreadPool(lambda job: self.spawn(f'activity-{next(self._numbers)}', job))

    def start(self) -> None:
        """Starts the threads."""
        self._awake.set()
        self.spawn('rounds', partial(self._lead, self._leader))
        threading.Thread(target=self._watch, name='genflow-rounds-watch', daemon=True).start()

    def drain(self) -> None:
        """Ends polling once ``tasks_left`` is 0; handles the polled tasks. Callable from any thread; never blocks."""
        self._threads.drain()
        self._bell.set()

    def abandon(self, seconds: float) -> None:
        """Ends after the time for draining: activities that have not begun are failed, decisions are still made.

        Args:
            seconds: How long the decisions may take.
        """
        while True:
            try:
                task = self._activities.popleft()
            except IndexError:
                break
            self.runner.give_up(task)
        self._bell.set()
        self._over.wait(seconds)

    def later(self, seconds: float, task: DecisionTask, answer: Callable[[], None]) -> None:
        """Has a decision answered in so many seconds, by the leader at that time; at once if the worker stops.

        Called on the leader's thread, while it handles the task.
        """
        if self.tasks_left() <= 0:
            answer()
            return
        self.client.count_busy(1)  # time does not skip that moment
        with self._lock:
            heapq.heappush(self._held_back, (self.clock() + seconds, next(self._numbers), task, answer))
        self._bell.set()

    # The leader's turns.

    def _lead(self, me: _Lead) -> None:
        failures = 0
        while True:
            try:
                if not self._turn(me):
                    return
                failures = 0
            except Exception as error:
                if not (faults.is_transient(error) or faults.is_crowded(error) or self.client.is_passing(error)):
                    self._over.set()
                    self._awake.set()
                    raise
                if not failures:
                    log.warning('no tasks can be taken at the moment: %s', faults.shown(error))
                failures += 1
                self.pause(Backoff().pause(failures, 1.0))

    def _turn(self, me: _Lead) -> bool:
        """One round; returns false if it is the last one, or another thread leads now."""
        if not (self._run_activities(me) and self._answer_held_back(me)):
            return False
        self._take_decisions()
        decides = bool(self._decisions)
        if not self._decide(me):
            return False
        performs = self._take_activities(me) or (self._has_slot and bool(self._activities))
        if not (decides or performs):
            if self.tasks_left() <= 0 and not self._activities and not self._held_back:
                self._end(me)
                return False
            self._wait(me)
        return True

    def _end(self, me: _Lead) -> None:
        self._settle(me)
        self._over.set()
        self._awake.set()
        self._threads.drain()

    # Decisions.

    def _take_decisions(self) -> None:
        if self._decisions:
            return
        left = self.tasks_left()
        room = {'most': int(min(PORTION, left))}
        wants = [('decision', self._request('decision', poller), room) for poller in self.deciding]
        places, self._places = self._places, []
        if not places and (left <= 0 or not wants):
            return
        found = self.client.take(wants, places)
        taken = self.client.taken
        for poller, want, answers in zip(self.deciding, wants, found, strict=True):
            self._decisions.extend((poller, answer, want[1], taken) for answer in answers)

    def _request(self, kind: str, poller: Poller) -> dict[str, Any]:
        """What a list is asked with: always the same, so it is checked once."""
        trimmed = kind == 'decision' and self._trimmed.get(poller.task_list, True)
        known = self._requests.get((kind, poller.task_list, trimmed))
        if known is None:
            request = poller.request()
            if trimmed:
                request['startAtPreviousStartedEvent'] = True
            known = self._requests[kind, poller.task_list, trimmed] = self.client.checked_poll(kind, request)
        return known

    def _decide(self, me: _Lead) -> bool:
        """Makes polled decisions for a limited time; returns whether this thread still leads."""
        now = monotonic()
        until = now + TURN
        while self._decisions and now < until:
            if not self._in_decision(me, now, self._decide_one, me, self._decisions.popleft()):
                return False
            now = monotonic()
        return True

    def _in_decision(self, me: _Lead, now: float, work: Callable[..., None], *arguments: Any) -> bool:
        """Calls a function that may run workflow code; returns whether this thread still leads."""
        if self._in_user_code(me, now, None, work, *arguments):
            return True
        with self._lock:
            self._overrunning -= 1
        self._settle(me)
        self._bell.set()
        return False

    def _decide_one(self, me: _Lead, taken: Taken) -> None:
        poller, _, request, _ = taken
        first = self._read(taken)
        task = None if first is None else poller.read(first, request)
        if task is not None:
            me.decided.append(task.run_id)
            # On a list that others poll too, an execution that was not here costs a second read of its history.
            self._trimmed[poller.task_list] = bool(self.handle(self.decider.handle, task)) or not task.previous_id

    def _read(self, taken: Taken) -> dict[str, Any] | None:
        """A polled task; ``None`` if it cannot be read, or its start was lost."""
        _, answer, _, start = taken
        for failures in itertools.count(1):
            try:
                task: dict[str, Any] = self.client.read(answer, start)
            except Exception as error:  # noqa: BLE001 - it is logged
                if not self.client.is_passing(error):
                    self.failures.write(error, 'a decision task cannot be read; it comes again when it has timed out')
                    return None
                if self.client.is_lost(start) or self.pause(Backoff().pause(failures, 1.0)):
                    return None
            else:
                return task
        return None

    def _answer_held_back(self, me: _Lead) -> bool:
        """Sends delayed answers that are due, all if the worker stops; returns whether this thread still leads."""
        while self._held_back:
            with self._lock:
                if not self._held_back or (self._held_back[0][0] > self.clock() and self.tasks_left() > 0):
                    return True
                _, _, task, answer = heapq.heappop(self._held_back)
            me.decided.append(task.run_id)
            if not self._in_decision(me, monotonic(), self._give, task, answer):
                return False
        return True

    def _give(self, task: DecisionTask, answer: Callable[[], None]) -> None:
        try:
            self.finish(lambda _: answer(), task)
        finally:
            self.client.count_busy(-1)

    # Activities.

    def _take_activities(self, me: _Lead) -> bool:
        """Polls as many as can run, commits, and starts the slow ones; returns whether there were any."""
        most = 0 if self._activities else int(min(PORTION, self.tasks_left()))
        slots = self._slots.take(most)
        try:
            slow, short = self._poll_activities(most, slots) if slots else ([], [])
            starts = self.client.taken
            if not self._settle(me) and self.client.is_lost(starts):
                slow, short = [], []
        except BaseException:
            self._slots.give_back(slots)
            raise
        self._slots.give_back(slots - len(slow) - bool(short))
        self._has_slot = self._has_slot or bool(short)
        self._activities.extend(short)
        for task in slow:
            self.client.count_busy(1)
            self._threads.run(partial(self._run_apart, task))
        return bool(slow or short)

    def _poll_activities(self, most: int, slots: int) -> tuple[list[ActivityTask], list[ActivityTask]]:
        """Takes what is in the task lists; returns the tasks that get a thread of their own, and the short ones."""
        slow: list[ActivityTask] = []
        short: list[ActivityTask] = []
        kinds = set(self.speeds.short)
        room = {'most': most, 'slots': slots, 'short': kinds}
        wants = [('activity', self._request('activity', poller), room) for poller in self.performing]
        for poller, answers in zip(self.performing, self.client.take(wants), strict=True):
            for answer in answers:
                task = activity_task_of(answer, poller.task_list)
                (short if (task.name, task.version) in kinds else slow).append(task)
        return slow, short

    def _run_activities(self, me: _Lead) -> bool:
        """Runs polled short activities for a limited time; returns whether this thread still leads."""
        if self._activities and not self._has_slot:
            if not self._slots.take(1):
                return True
            self._has_slot = True
        now = monotonic()
        until = now + TURN
        while self._activities and now < until:
            try:
                task = self._activities.popleft()
            except IndexError:  # failed
                break
            kind = (task.name, task.version)
            if not self._in_user_code(me, now, kind, self.handle, self.runner.handle, task):
                self._settle(me)
                self._free_slot()
                return False
            began, now = now, monotonic()
            self.speeds.took(kind, now - began)
        if self._has_slot and not self._activities:
            self._has_slot = False
            self._slots.give_back(1)
        return True

    def _run_apart(self, task: ActivityTask) -> None:
        """Runs an activity on a thread of its own."""
        mine = _Lead()
        try:
            began = monotonic()
            self.handle(self.runner.handle, task)
            if not self.runner.may_wait(task.name, task.version):
                self.speeds.took((task.name, task.version), monotonic() - began)
            self._settle(mine)
            self.runner.loop.wait_for_place(lambda: self.tasks_left() <= 0, PLACE_INTERVAL)
        finally:
            self.client.count_busy(-1)
            self._free_slot()

    def _free_slot(self) -> None:
        self._slots.give_back(1)
        self._bell.set()

    # Waiting and writing.

    def _wait(self, me: _Lead) -> None:
        """Waits until there may be a task; only for the kinds of tasks that can run now."""
        self._bell.clear()
        wants = [('decision', self._request('decision', poller), None) for poller in self.deciding]
        if not self._activities and self._slots.free:
            wants += [('activity', self._request('activity', poller), None) for poller in self.performing]
        if self.tasks_left() <= 0:
            if self._activities:
                self._bell.wait(self._idle())
            return
        if wants:
            self._places = self.client.stand(wants, self._bell.set) or []
        if self._places or not wants:
            self._awake.clear()
            try:
                self._bell.wait(self._idle())
            finally:
                self._awake.set()

    def _idle(self) -> float:
        """The longest time to wait, in seconds."""
        with self._lock:
            due = self._held_back[0][0] - self.clock() if self._held_back else IDLE
        return max(0.0, min(due, IDLE))

    def _settle(self, me: _Lead) -> bool:
        """Commits what this thread deferred; returns false if some of it was lost."""
        decided, me.decided = me.decided, []
        return self.settling.settle(decided)

    # Overrunning.

    def _in_user_code(
        self, me: _Lead, now: float, kind: tuple[str, str] | None, work: Callable[..., object], *arguments: Any
    ) -> bool:
        """Handles one task; returns whether this thread still leads.

        Args:
            me: This thread's lead.
            now: The time.
            kind: The activity's type; ``None`` for a decision.
            work: Does it.
            arguments: What ``work`` is called with.
        """
        self._busy_with, self._busy_since = kind, now  # in this order: the watcher looks at the second one first
        try:
            work(*arguments)
        finally:
            with self._lock:
                leads = self._leader is me
                if leads:
                    self._busy_since = None
        return leads

    def _watch(self) -> None:
        """Makes another thread the leader whenever the leader is overdue."""
        while not self._over.wait(OVERDUE):
            self._awake.wait()
            self._look()

    def _look(self) -> None:
        with self._lock:
            since, kind = self._busy_since, self._busy_with
            if since is None or monotonic() - since < OVERDUE:
                return
            if kind is None and self._overrunning >= MAX_OVERRUNNING:
                return
            self._busy_since = None
            self._leader = following = _Lead()
            if kind is None:
                self._overrunning += 1
            else:
                self._has_slot = False  # it belongs to the old leader now
                self.speeds.overran(kind)
        self.spawn('rounds', partial(self._lead, following))
