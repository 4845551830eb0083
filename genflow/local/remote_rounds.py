"""Rounds of a process that goes through the leader of its file: many tasks taken and answered with one call.

Theory of operation. A follower has what :class:`~genflow.local.deferring.DeferringSWF` gives to the process that has
the file itself, over its socket. Answers to tasks are collected by the thread that gives them; with the next tasks that
it takes, or when it settles, they go to the leader in one call, which comes back when the file has everything. The call
is numbered, so where its answer is lost it is repeated, perhaps by the process that leads next for itself, and has its
effect once: see :mod:`genflow.local.shared.member`.

What the leader would refuse for its form is refused here at once, by the same checks. What it refuses for another
reason is known when nobody waits any more: an answer that comes too late is logged, and one that comes too soon
(throttling) is given again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from attrs import define, field

from genflow.local.deferring import (
    DEFERRED,
    POLLS,
    REPEATED,
    Call,
    CheckedPoll,
    Wanted,
    as_failure,
    checked_poll,
    is_passing,
    read_events,
    repeated,
    right,
)
from genflow.local.errors import ServiceError, StoreError
from genflow.local.json_text import portions
from genflow.local.operations.answers import EventTexts
from genflow.local.requests import faults
from genflow.local.requests.decision_lists import check_batch
from genflow.local.requests.model import operations
from genflow.local.requests.validation import checked, quick_check

__all__ = ['RemoteRounds']

LOG = logging.getLogger(__name__)

LATE = 'UnknownResourceFault'
THROTTLED = 'ThrottlingException'

PORTION = 500_000
"""Bytes of answers that go to the leader at a time; a single one may be larger."""


Described = tuple[str, dict[str, Any], dict[str, Any]]
"""The operation of a poll, its members, and the room that there is, as JSON has them."""


class Place(Protocol):
    """A place in line.

    Attributes:
        wants: The lists in whose lines it stands.
    """

    wants: Sequence[Described]

    def leave(self) -> None:
        """Wait no longer; raises ServiceError where nobody may wait there."""


class Rounds(Protocol):
    """Who carries rounds out: :class:`genflow.local.shared.member.Member`."""

    def carry_out_round(self, answers: Sequence[Any], wants: Sequence[Any]) -> Mapping[str, Any]:
        """Answers tasks and takes others; see :meth:`genflow.local.engine.rounds.Rounds.carry_out`."""

    def wait_for_tasks(self, wants: Sequence[Any], ring: Callable[[], None]) -> Place:
        """Stands in line."""


class _Collected(threading.local):
    """What the calling thread has answered and not settled."""

    def __init__(self) -> None:
        self.calls: list[Call] = []


@define(eq=False)
class RemoteRounds:
    """The methods of a client; answers to tasks are collected, all others are the client's own.

    Its methods mean what those of :class:`~genflow.local.deferring.DeferringSWF` do. The starts of tasks that were
    taken are in the file already, and no clock of a follower skips.

    Args:
        client: The service as this process has it.
        member: Carries rounds out.
        invoke: Makes a call of the client's with another way to the service: operation, request, perform.
        error: The client's exception for an operation and a refusal of the service.
    """

    client: Any
    _member: Rounds
    _invoke: Callable[..., dict[str, Any]]
    _error: Callable[[str, ServiceError], Exception]
    _collected: _Collected = field(factory=_Collected, init=False, repr=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    taken = 0

    def is_lost(self, taken: int) -> bool:
        """Never: what was taken is in the file."""
        return False

    def count_busy(self, change: int) -> None:
        """No clock waits for that."""

    def is_passing(self, error: BaseException) -> bool:
        """Whether a failure of the file, or of its leader, may be over when one tries again."""
        return is_passing(error)

    def checked_poll(self, kind: str, request: dict[str, Any]) -> CheckedPoll:
        """The arguments of a poll, which need not be checked each time then."""
        return checked_poll(kind, request, self._error)

    def take(self, wants: Sequence[Wanted], places: Sequence[Place] = ()) -> list[list[Any]]:
        """Takes tasks that are ready, and answers what this thread has collected."""
        try:
            for place in places:
                place.leave()
            described = _described(wants)
        except ServiceError as error:
            kind = wants[0][0] if wants else 'activity'  # a caller without a place here waits for activities only
            raise self._error(POLLS[kind], error) from error
        if not any(room.get('most', 1) for _, _, room in described):
            # The leader may have woken this process for a task that it does not take now: it is to wake the next.
            described += [(*want[:2], {'most': 0}) for place in places for want in place.wants]
        if not described and not self._collected.calls:
            return []
        return self._round(described)[: len(wants)]

    def read(self, answer: dict[str, Any], taken: int) -> dict[str, Any]:
        """A decision task as boto3 gives it."""
        answer['events'] = EventTexts(answer['events'])
        read_events(answer)
        return answer

    def stand(self, wants: Sequence[Wanted], ring: Callable[[], None]) -> list[Place]:
        """Stands in line for tasks, in all lists at once."""
        try:
            return [self._member.wait_for_tasks(_described(wants), ring)]
        except ServiceError as error:
            raise self._error(POLLS[wants[0][0]], error) from error

    def get_workflow_execution_history(self, **request: Any) -> dict[str, Any]:
        """The client's, with what this thread has answered."""
        try:
            self.settle()
        except StoreError as error:
            raise as_failure(self._error, 'GetWorkflowExecutionHistory', error) from error
        return _read_history(self, **request)

    def settle(self) -> None:
        """Answers what this thread has collected, and waits until the file has it."""
        if self._collected.calls:
            self._round(())

    def lost(self) -> list[Call]:
        """The methods and arguments of the calls that this thread has collected; they are forgotten."""
        calls, self._collected.calls = self._collected.calls, []
        return calls

    def _round(self, wants: Sequence[Described]) -> list[list[Any]]:
        mine = self._collected
        throttled: list[Call] = []
        found: Mapping[str, Any] = {}
        while mine.calls or not found:
            portion = next(portions(mine.calls, PORTION))
            is_last = len(portion) == len(mine.calls)
            answers = [(operations()[name], request) for name, request in portion]
            try:
                found = self._member.carry_out_round(answers, wants if is_last else ())
            except BaseException:
                mine.calls += throttled
                raise
            del mine.calls[: len(portion)]
            for call, refusal in zip(portion, found['refusals'], strict=True):
                if refusal is not None and self._comes_again(call, ServiceError(*refusal)):
                    throttled.append(call)
        mine.calls = throttled
        tasks: list[list[Any]] = found['tasks']
        if found['refusal'] is not None and not any(tasks):
            raise self._error(wants[0][0], ServiceError(*found['refusal']))
        if throttled and not wants:
            raise self._error(operations()[throttled[0][0]], faults.fault(THROTTLED, 'Rate exceeded'))
        return tasks

    def _comes_again(self, call: Call, error: ServiceError) -> bool:
        """The leader has refused an answer; whether it is to be given again."""
        if error.code == THROTTLED:
            return True
        if error.code == LATE:
            LOG.warning('%s came too late, its task is gone: %s', call[0], error.message)
        else:
            LOG.error('%s was refused, %s: %s', call[0], error.code, error.message)
        return False


_read_history = repeated('get_workflow_execution_history')


def _described(wants: Iterable[Wanted]) -> list[Described]:
    """What is wanted, as JSON has it."""
    return [
        (POLLS[kind], right(POLLS[kind], request), {**(room or {}), 'short': sorted((room or {}).get('short', ()))})
        for kind, request, room in wants
    ]


def _method(name: str) -> Callable[..., dict[str, Any]]:
    """The client method of that name, collected."""
    operation = operations()[name]

    def check(operation: str, request: dict[str, Any], *, right: bool) -> None:
        if not right:
            checked(operation, request)
        check_batch(request.get('decisions', []))

    def method(self: RemoteRounds, **request: Any) -> dict[str, Any]:
        if not quick_check(operation)(request) or 'decisions' in request:
            self._invoke(operation, request, check)
        self._collected.calls.append((name, request))
        return {}

    method.__name__ = name
    method.__qualname__ = f'RemoteRounds.{name}'
    method.__doc__ = f'``{name}`` of the client, collected.'
    return method


for _name in DEFERRED:
    setattr(RemoteRounds, _name, _method(_name))
for _name in REPEATED:
    if not hasattr(RemoteRounds, _name):
        setattr(RemoteRounds, _name, repeated(_name))
