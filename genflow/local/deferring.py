"""A client for workers in the service's process, whose calls share commits; see the rounds of a worker.

Theory of operation. A call on :class:`~genflow.local.LocalSWF` comes back when the file has it, so a step of a workflow
costs four commits, and threads that wait for them. A worker in the same process need not wait for each: an answer to a
task is taken in memory at once (*deferred*), and :meth:`DeferringSWF.settle` waits for all that the calling thread has
deferred. Others never see what could still get lost, for their own calls wait for everything that they may have seen.

What must be in the file before it happens is an activity's start, so a worker settles before it runs activities: one
that kills its process leaves a trace. A decision has no effect outside, so its start and its answer may share a commit
with whatever else happened since the last one. Where that fails, all of it is lost and has never happened:
:meth:`DeferringSWF.lost` tells the answers, to be given again. Any caller may write, and fail to write, what this
thread has deferred, and what the thread defers afterwards may still be written; so it keeps the numbers of the first
and the last batch that it has a part in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import define, field

from genflow.local.engine.rounds import Wants
from genflow.local.engine.service import Service
from genflow.local.errors import FileGone, ServiceClosed, ServiceError, StoreError
from genflow.local.operations.answers import EventTexts, Reading
from genflow.local.requests import faults
from genflow.local.requests.model import operations
from genflow.local.requests.validation import checked, quick_check
from genflow.local.state.answers import ANYBODY, Caller
from genflow.local.state.room import Room
from genflow.local.state.task_lists import CallbackWaiter

__all__ = [
    'DEFERRED',
    'POLLS',
    'REPEATED',
    'Call',
    'CheckedPoll',
    'DeferringSWF',
    'Wanted',
    'as_failure',
    'checked_poll',
    'is_passing',
    'read_events',
    'repeated',
    'right',
]

DEFERRED = (
    'respond_activity_task_canceled',
    'respond_activity_task_completed',
    'respond_activity_task_failed',
    'respond_decision_task_completed',
)
"""Client methods whose calls are deferred."""

REPEATED = ('get_workflow_execution_history', 'poll_for_decision_task', 'record_activity_task_heartbeat')
"""Client methods that a worker repeats; where the file cannot be written, they fail as SWF's own failures do."""

POLLS = {'decision': 'PollForDecisionTask', 'activity': 'PollForActivityTask'}


class CheckedPoll(dict[str, Any]):
    """The request of a poll that was found to be right, for who asks with it in each round."""


Call = tuple[str, dict[str, Any]]
Wanted = tuple[str, dict[str, Any], Mapping[str, Any] | None]


class _Deferred(threading.local):
    """What the calling thread has deferred."""

    def __init__(self) -> None:
        self.first = 0
        self.last = 0
        self.taken = 0
        self.calls: list[Call] = []
        self.trouble: StoreError | None = None


@define(eq=False)
class DeferringSWF:
    """The methods of a client; answers to tasks are deferred, all others are the client's own.

    Args:
        client: The service in this process.
        service: Its inside.
        invoke: Makes a call of the client's with another way to the service: operation, request, perform.
        error: The client's exception for an operation and a refusal of the service.
        caller: Whose tasks are taken.
    """

    client: Any
    _service: Service
    _invoke: Callable[..., dict[str, Any]]
    _error: Callable[[str, ServiceError], Exception]
    _caller: Caller = ANYBODY
    _deferred: _Deferred = field(factory=_Deferred, init=False, repr=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def checked_poll(self, kind: str, request: dict[str, Any]) -> CheckedPoll:
        """The arguments of a poll, for :meth:`take` and :meth:`stand`, which need not check these then.

        Raises:
            ClientError: The service refuses them.
        """
        return checked_poll(kind, request, self._error)

    def take(self, wants: Sequence[Wanted], places: Sequence[Any] = ()) -> list[list[Any]]:
        """Takes tasks that are ready; none is waited for, and their starts are deferred.

        Args:
            wants: ``decision`` or ``activity``, the arguments of a poll, and how many there is room for, as the
                arguments of :class:`~genflow.local.state.room.Room`.
            places: What :meth:`stand` gave; the caller leaves all of these lines.

        Returns:
            For each of ``wants`` the answers that polls would have had; those of decision tasks are for :meth:`read`.

        Raises:
            ClientError: The service refuses, and nothing was taken.
        """
        try:
            found, mark = self._service.rounds.take_tasks(_wanted(wants), places, self._caller)
        except ServiceError as error:
            raise self._error(POLLS[wants[0][0]], error) from error
        if mark:
            self._note(mark)
        self._deferred.taken = mark
        return found

    @property
    def taken(self) -> int:
        """What names the starts of the tasks that this thread took last, for :meth:`is_lost`."""
        return self._deferred.taken

    def is_lost(self, taken: int) -> bool:
        """Whether those starts could not be written and so have never been; to be asked when they are settled."""
        return self._service.rounds.is_lost(taken)

    def read(self, answer: Any, taken: int) -> dict[str, Any]:
        """A decision task as boto3 gives it.

        Args:
            answer: What :meth:`take` gave.
            taken: Names its start.

        Raises:
            StoreError: It must be read from the file, which cannot be written or read.
        """
        task: dict[str, Any] = self._service.rounds.read_taken(answer, taken) if isinstance(answer, Reading) else answer
        read_events(task)
        task['taskToken'].start = taken
        return task

    def stand(self, wants: Sequence[Wanted], ring: Callable[[], None]) -> list[Any] | None:
        """Stands in line for tasks, in all lists at once; nothing may be left unsettled.

        Args:
            wants: As for :meth:`take`.
            ring: Called from any thread when it is worth while to take; it must neither block nor call the service.

        Returns:
            The places in line, for :meth:`take`; ``None`` where there is something to take already.

        Raises:
            ClientError: The service refuses.
        """
        poller = threading.current_thread()

        def stand() -> CallbackWaiter:
            place = CallbackWaiter(ring)
            place.poller = poller
            return place

        try:
            return self._service.rounds.stand_in_lines(_wanted(wants), stand, self._caller)
        except ServiceError as error:
            raise self._error(POLLS[wants[0][0]], error) from error

    def settle(self) -> None:
        """Waits until the file has what this thread has deferred.

        Raises:
            StoreError: It could not be written. :meth:`lost` tells the answers that have got lost with it.
        """
        mine = self._deferred
        first, last, trouble = mine.first, mine.last, mine.trouble
        mine.first, mine.last, mine.trouble = 0, 0, None
        self._service.rounds.settle(first, last)
        if trouble is not None:
            raise trouble
        mine.calls.clear()

    def is_passing(self, error: BaseException) -> bool:
        """Whether a failure of the file, such as a full disk, may be over when one tries again."""
        return is_passing(error)

    def lost(self) -> list[Call]:
        """The methods and arguments of the calls that this thread has deferred and not settled; they are forgotten."""
        calls, self._deferred.calls = self._deferred.calls, []
        return calls

    def count_busy(self, change: int) -> None:
        """So many threads more or less work on tasks that another thread took: time that skips waits for them."""
        self._service.rounds.count_busy(change)

    def _note(self, mark: int) -> None:
        """This thread has a part in that batch."""
        mine = self._deferred
        mine.first = mine.first or mark
        mine.last = max(mine.last, mark)

    def _defer_wrong(self, operation: str, request: dict[str, Any]) -> int:
        """An answer that is refused in the words of boto3 or of the service, or is right when it is cleaned."""
        marks: list[int] = []

        def defer(operation: str, request: dict[str, Any], *, right: bool) -> None:
            marks.append(self._service.rounds.defer(operation, checked(operation, request)))

        self._invoke(operation, request, defer)
        return marks[0]


def is_passing(error: BaseException) -> bool:
    """Whether an error is of the file and may be over when one tries again."""
    return isinstance(error, StoreError) and not isinstance(error, (ServiceClosed, FileGone))


def as_failure(make: Callable[[str, ServiceError], Exception], operation: str, error: StoreError) -> Exception:
    """The error of the file as SWF's own failure, which callers repeat, where it may be over when they do."""
    return make(operation, faults.fault('InternalFailure', str(error))) if is_passing(error) else error


def _wanted(wants: Sequence[Wanted]) -> list[Wants]:
    return [Wants(POLLS[kind], right(POLLS[kind], request), Room(**(room or {}))) for kind, request, room in wants]


def checked_poll(kind: str, request: dict[str, Any], as_error: Callable[[str, ServiceError], Exception]) -> CheckedPoll:
    """The arguments of a poll for ``decision`` or ``activity``, checked once for many polls.

    Raises:
        Exception: What ``as_error`` makes of the service's refusal.
    """
    try:
        return CheckedPoll(right(POLLS[kind], request))
    except ServiceError as error:
        raise as_error(POLLS[kind], error) from error


def right(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request of a poll, checked."""
    if isinstance(request, CheckedPoll):
        return request
    right: dict[str, Any] = checked(operation, request)
    return right


def read_events(answer: dict[str, Any]) -> None:
    """Events as boto3 has them instead of their texts."""
    texts: EventTexts = answer['events']
    answer['events'] = texts.as_boto3()


def _method(name: str) -> Callable[..., dict[str, Any]]:
    """The client method of that name, deferred."""
    operation = operations()[name]

    def method(self: DeferringSWF, **request: Any) -> dict[str, Any]:
        try:
            is_right = quick_check(operation)(request)
            mark = (self._service.rounds.defer if is_right else self._defer_wrong)(operation, request)
            if mark:
                self._note(mark)
        except ServiceError as error:
            raise self._error(operation, error) from error
        except StoreError as error:
            if not self.is_passing(error):
                raise
            self._deferred.trouble = error
        self._deferred.calls.append((name, request))
        return {}

    method.__name__ = name
    method.__qualname__ = f'DeferringSWF.{name}'
    method.__doc__ = f'``{name}`` of the client, deferred.'
    return method


def repeated(name: str) -> Callable[..., dict[str, Any]]:
    """The client method of that name, for those who repeat what fails for a while."""
    operation = operations()[name]

    def method(self: Any, **request: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self.client, name)(**request)
        except StoreError as error:
            raise as_failure(self._error, operation, error) from error
        return answer

    method.__name__ = name
    method.__doc__ = f'``{name}`` of the client.'
    return method


for _name in DEFERRED:
    setattr(DeferringSWF, _name, _method(_name))
for _name in REPEATED:
    setattr(DeferringSWF, _name, repeated(_name))
