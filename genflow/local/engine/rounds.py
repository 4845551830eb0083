"""Calls that share a commit: many tasks taken and answered at a time; see :mod:`genflow.local.deferring`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from genflow.local.engine.calls import CALLS
from genflow.local.engine.locked_state import LockedState
from genflow.local.engine.taking import TaskTaker
from genflow.local.errors import LocalError, ServiceError
from genflow.local.json_text import encode
from genflow.local.operations import tasks
from genflow.local.operations.answers import Answer, Reading
from genflow.local.operations.lookup import domain_of
from genflow.local.requests import faults
from genflow.local.requests.tokens import SealedTask
from genflow.local.state.answers import ANYBODY, Caller
from genflow.local.state.room import Room
from genflow.local.state.task_lists import TaskQueue, Waiter

__all__ = ['Rounds', 'Wants']


class Wants(NamedTuple):
    """Tasks that somebody would take from one list.

    Attributes:
        operation: PollForActivityTask or PollForDecisionTask.
        request: Its members, right ones.
        room: How many there is room for.
    """

    operation: str
    request: dict[str, Any]
    room: Room


class Rounds:
    """The part of the service that rounds use."""

    def __init__(self, core: LockedState, taker: TaskTaker) -> None:
        self._core = core
        self._state = core.state
        self._taker = taker

    def defer(self, operation: str, request: dict[str, Any]) -> int:
        """Carry out one answer to a task, and do not wait for the file.

        Args:
            operation: Its name on the wire.
            request: Its members, right ones. Where the start of the token's task got lost, the task may have been
                started anew by now, with the same events and so the same token, and has to be answered anew.

        Returns:
            The batch to :meth:`settle` before anybody may be told.

        Raises:
            ServiceError: The service refuses.
            StoreError: The file cannot be read.
        """
        core = self._core
        core.store.check()
        with core.lock:
            now = core.begin(operation)
            token = request['taskToken']
            if isinstance(token, SealedTask) and token.start and core.journal.is_lost(token.start):
                raise faults.fault('UnknownResourceFault', 'Unknown task: its start could not be written')
            answer = core.apply(CALLS[operation], self._state, request, now)
            core.conclude(now)
            mark = core.journal.deferred
        if isinstance(answer, Reading):
            core.deliver(answer, mark)  # raises the reason why the task cannot be answered
        return mark

    def settle(self, first: int, last: int) -> None:
        """Wait until the file has what was deferred to those batches, and begin what had to wait for that.

        Raises:
            StoreError: Some of it could not be written; nothing of that has happened.
        """
        if last:
            self._core.journal.settle_deferred(first, last)
        self._core.deliver(None, last)

    def is_lost(self, batch: int) -> bool:
        """Whether a batch that was to be settled could not be written."""
        return self._core.journal.is_lost(batch)

    def read_taken(self, answer: Reading, mark: int) -> dict[str, Any]:
        """An answer of :meth:`take_tasks` that must be read from the file, which has the batch then.

        Raises:
            StoreError: The file cannot be written or read.
        """
        return self._core.deliver(answer, mark) or {}

    def take_tasks(
        self, wants: Sequence[Wants], places: Sequence[Waiter], caller: Caller = ANYBODY
    ) -> tuple[list[list[Answer]], int]:
        """Take what is ready in several lists, and do not wait for the file.

        Args:
            wants: What to take, in this order.
            places: Where the caller stood in line until now.
            caller: Whose tasks they are then.

        Returns:
            What came of each list, and the batch to :meth:`settle`; what must be read from the file is for
            :meth:`read_taken`.

        Raises:
            ServiceError: The service refuses, and nothing was taken.
            StoreError: The file cannot be read, and nothing was taken.
        """
        core = self._core
        core.store.check()
        with core.lock:
            self._state.decides_here = True
            lines = [core.polls.leave(place) for place in places] if places else ()
            now = core.ready()
            found: list[list[Answer]] = [[] for _ in wants]
            try:
                for wanted, taken in zip(wants, found, strict=True):
                    self._take_wanted(wanted, caller, now, taken, [])
            except LocalError:
                if not any(found):  # what was taken is not to be lost for the sake of what was not
                    raise
            finally:
                core.conclude(now)
                for queue in filter(None, lines):
                    # The caller may have been woken for a task that it does not want any more, or does not get.
                    self._taker.wake_one(queue)
            mark = core.journal.deferred
        return found, mark

    def carry_out(
        self, answers: Sequence[tuple[str, dict[str, Any]]], wants: Sequence[Wants], caller: Caller
    ) -> dict[str, Any]:
        """Answer tasks and take others for another process, and wait for the file; a numbered round happens once.

        Args:
            answers: Operations and their members, right ones.
            wants: What to take.
            caller: Whose round it is.

        Returns:
            JSON: ``refusals``, for each answer what the service refuses it with, or ``None``; ``tasks``, what came of
            each list; ``refusal``, what the service refuses to take tasks with, or ``None``.

        Raises:
            StoreError: The file cannot be read or written.
        """
        core, state = self._core, self._state
        core.store.check()
        with core.lock:
            now = core.ready()
            known = state.answers.find(caller)
            if known is not None:
                found = json.loads(known)
                given = [
                    self._taken_before(wanted, refs, now) for wanted, refs in zip(wants, found['refs'], strict=True)
                ]
            else:
                found, given = self._new_round(answers, wants, caller, now)
                if answers or any(given):
                    state.answer(caller, encode(found))
            for queue in filter(None, map(state.queues.get, map(_queue_name, wants))):
                # The caller may have been woken for a task that it does not want, or does not get.
                self._taker.wake_one(queue)
            mark = core.finish(now)
        delivered = [[core.deliver(answer, mark) for answer in taken] for taken in given]
        core.deliver(None, mark)
        return {'refusals': found['refusals'], 'tasks': delivered, 'refusal': found['refusal']}

    def _new_round(
        self, answers: Sequence[tuple[str, dict[str, Any]]], wants: Sequence[Wants], caller: Caller, now: int
    ) -> tuple[dict[str, Any], list[list[Answer]]]:
        """What is kept of a round, and the tasks."""
        refusals = [self._refusal(partial(self._respond, operation, request, now)) for operation, request in answers]
        found: list[list[Answer]] = [[] for _ in wants]
        refs: list[list[int]] = [[] for _ in wants]
        refusal = None
        if caller.process not in self._state.departed:
            owner = Caller(caller.process, owns=caller.owns)
            for wanted, taken, known in zip(wants, found, refs, strict=True):
                refusal = refusal or self._refusal(partial(self._take_wanted, wanted, owner, now, taken, known))
        return {'refusals': refusals, 'refs': refs, 'refusal': refusal}, found

    def _respond(self, operation: str, request: dict[str, Any], now: int) -> None:
        """Carry out one answer to a task.

        Raises:
            ServiceError: The service refuses it. Of an execution that has closed only the run is known here.
        """
        self._core.permit(operation, now)
        answer = self._core.apply(CALLS[operation], self._state, request, now)
        self._core.follow_up(now)
        if isinstance(answer, Reading):
            raise faults.fault('UnknownResourceFault', 'Unknown task: its execution is closed')

    def _refusal(self, call: Callable[[], None]) -> list[Any] | None:
        """What the service refuses a call with, as JSON."""
        try:
            call()
        except ServiceError as error:
            return [*error.as_json()]
        return None

    def _taken_before(self, wanted: Wants, refs: Sequence[int], now: int) -> list[Answer]:
        """The tasks that the same round was given before, as far as they are still open."""
        known = [tasks.taken_before(self._state, wanted.request, now, ref) for ref in refs]
        return [answer for answer in known if answer is not None]

    def _take_wanted(self, wanted: Wants, caller: Caller, now: int, found: list[Answer], refs: list[int]) -> None:
        """Takes as many tasks as are wanted, and adds them and their refs to those that were found."""
        operation, request, room = wanted
        queue = self._queue_of(wanted)
        if not queue.live:
            return
        ready = self._taker.tasks(tasks.POLLS[operation][1], request, now, queue, caller)
        slow, short = 0, 0
        while queue.live and len(found) < room.most and (room.slots is None or slow + short < room.slots):
            self._core.permit(operation, now)
            taken = next(ready, None)
            if taken is None:
                return
            refs.append(taken[0])
            found.append(taken[1])
            if room.slots is not None and room.is_short(taken[1]):
                short = 1
            else:
                slow += 1

    def _queue_of(self, wanted: Wants) -> TaskQueue:
        domain_of(self._state, wanted.request)
        return self._state.queue(*_queue_name(wanted))

    def stand_in_lines(
        self, wants: Sequence[Wants], stand: Callable[[], Waiter], caller: Caller = ANYBODY
    ) -> list[Waiter] | None:
        """Wait for tasks in several lists at once.

        Args:
            wants: What to wait for.
            stand: Makes a place in a line.
            caller: Whose tasks they are to be.

        Returns:
            The places, one for each list; ``None`` where one of them has a task already.
        """
        self._core.store.check()
        places: list[Waiter] = []
        with self._core.lock:
            for wanted in wants:
                self._core.begin(wanted.operation)
            queues = [self._queue_of(wanted) for wanted in wants]
            may = self._taker.may_take(caller.process)
            if any(queue and (may is None or any(map(may, queue.refs))) for queue in queues):
                return None
            try:
                for queue in queues:
                    place = stand()
                    place.process = caller.process
                    self._core.polls.enter(queue, place)
                    places.append(place)
            except BaseException:
                for place in places:
                    self._core.polls.leave(place)
                raise
            self._core.polls.deadlines_changed()
            self._core.polls.skip()
        return places

    def leave_lines(self, places: Sequence[Waiter], *, wakes_next: bool) -> None:
        """Wait no longer.

        Args:
            places: Where the caller stood in line.
            wakes_next: The caller does not come for a task that it may have been woken for.
        """
        with self._core.lock:
            queues = [self._core.polls.leave(place) for place in places if self._core.polls.stands(place)]
            for queue in queues:
                if wakes_next and queue:
                    self._taker.wake_one(queue)

    def count_busy(self, change: int) -> None:
        """So many threads more or less work on tasks that others took for them: time that skips waits for them."""
        with self._core.lock:
            self._core.polls.busy += change
            if change < 0 and not self._core.polls.closed:
                self._core.polls.skip()


def _queue_name(wanted: Wants) -> tuple[str, str, str]:
    """The name of a list in :attr:`State.queues`, whether or not its domain exists."""
    return tasks.POLLS[wanted.operation][0], wanted.request['domain'], wanted.request['taskList']['name']
