"""Rounds of followers at the leader, as they come over the socket; see :mod:`genflow.local.remote_rounds`.

A round takes what is there and never waits. To wait is a call of its own, which takes nothing and so can be given up at
any moment: it is held like a long poll, and answered when one of the lists has a task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from genflow.local.engine.rounds import Rounds, Wants
from genflow.local.requests.validation import checked
from genflow.local.state.answers import Caller
from genflow.local.state.room import Room
from genflow.local.state.task_lists import CallbackWaiter, Waiter

__all__ = ['HeldWait', 'WaitingService', 'carry_out', 'round_body', 'wanted']

READY = '{}'
"""What is answered to one who waits: there may be a task."""


def round_body(answers: Sequence[Any], wants: Sequence[Any], caller: Caller) -> dict[str, Any]:
    """A round as JSON."""
    return {
        'number': caller.number,
        'waitsFrom': caller.waits_from,
        'owns': caller.owns,
        'answers': answers,
        'wants': wants,
    }


def carry_out(rounds: Rounds, process: str, body: dict[str, Any]) -> dict[str, Any]:
    """Carry out a round that :func:`round_body` described."""
    caller = Caller(process, body['number'], body['waitsFrom'], body['owns'])
    answers = [(operation, checked(operation, request)) for operation, request in body['answers']]
    return rounds.carry_out(answers, wanted(body['wants']), caller)


def wanted(wants: Iterable[Sequence[Any]]) -> list[Wants]:
    """What is wanted, of JSON: operation, request, and room."""
    return [
        Wants(operation, request, Room(**{**room, 'short': frozenset(map(tuple, room.get('short', ())))}))
        for operation, request, room in wants
    ]


class WaitingService:
    """The service, as one who waits for tasks of several lists sees it.

    Attributes:
        long_poll: Seconds for which it waits.
        answers_here: Who leads does.
    """

    answers_here = True

    def __init__(self, rounds: Rounds, process: str, long_poll: float) -> None:
        self.long_poll = long_poll
        self._rounds = rounds
        self._process = process

    def call_json(self, operation: str, request: dict[str, Any]) -> str:
        """Do not wait at all."""
        return READY

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], object]) -> HeldWait:
        """Begin to wait."""
        return HeldWait(self._rounds, wanted(request['wants']), Caller(self._process), wake, self.long_poll)


class HeldWait:
    """Waits for tasks of several lists and takes none; a :class:`~genflow.local.engine.served.Poll`."""

    def __init__(
        self, rounds: Rounds, wants: Sequence[Wants], caller: Caller, wake: Callable[[], object], hold: float
    ) -> None:
        self.hold = hold
        self._rounds = rounds
        self._wants = wants
        self._caller = caller
        self._wake = wake
        self._places: list[Waiter] | None = None
        self._abandoned = False

    def attempt(self, *, last: bool = False) -> str | None:
        """Stand in line, and leave it when there may be a task."""
        if self._places is None and not (last or self._abandoned):
            self._places = self._rounds.stand_in_lines(self._wants, partial(CallbackWaiter, self._wake), self._caller)
            return READY if self._places is None else None
        places, self._places = self._places or [], None
        # Whoever is still there comes and takes the task; in the name of one who is gone another one is woken.
        self._rounds.leave_lines(places, wakes_next=last or self._abandoned)
        return READY

    def abandon(self) -> None:
        """Nobody waits any longer."""
        self._abandoned = True
