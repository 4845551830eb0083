"""What a workflow gets from its execution without waiting: time, chance, side effects, patches; and its status.

What is not a function of the history is made in the live decision and recorded in a marker; a replayed decision reads
it from its own. Code that runs while a generator is closed or queried gets a dummy value.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from attrs import define, field

from genflow.core.engine.markers import Markers
from genflow.core.errors import GenflowError, NondeterminismError
from genflow.core.model.info import ExecutionIds, Origins
from genflow.core.payloads.writing import check_length, written
from genflow.core.tasks.loop import Loop

__all__ = ['Abort', 'LookUpFailed', 'WorkflowValues']

EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)


class Abort(BaseException):
    """Leaves the user's code: it asks for something that the history does not show, or takes too long."""


class LookUpFailed(GenflowError):
    """The service did not say where the execution comes from; the decision is made when it is there again."""


@define(eq=False, repr=False)
class WorkflowValues(Loop):
    """The part of an execution that gives values.

    Attributes:
        markers: What is remembered of them.
        time: The time of the current decision.
        started_id: The id of its DecisionTaskStarted.
        context: The execution context that it sets.
        origins: Looks up the first run and the root; ``None`` takes the previous run and the parent.
        abort: The error with which the execution ends as soon as the user's code has been left.
    """

    markers: Markers
    time: datetime = field(default=EPOCH, init=False)
    started_id: int = field(default=0, init=False)
    context: str | None = field(default=None, init=False)
    origins: Origins | None = field(default=None, init=False)
    abort: GenflowError | None = field(default=None, init=False)

    def now(self) -> datetime:
        return self.time

    @property
    def random(self) -> Random:
        if self.silent:
            self.describes('a random number')
            return Random(0)
        self.check_thread('a random number')
        stream = self.markers.random
        return stream if stream is not None else self._not_shown('a random number')

    def uuid4(self) -> UUID:
        if self.silent:
            self.describes('a UUID')
            return UUID(int=0)
        self.check_thread('a UUID')
        value = self.markers.uuid4()
        return value if value is not None else self._not_shown('a UUID')

    def side_effect(self, function: Callable[[], Any], raises: tuple[type[Exception], ...] = ()) -> Any:
        if self.silent:
            self.describes('a side effect')
            return None
        self.check_thread('a side effect')
        found, value = self.markers.side_effect(partial(self._called, function), raises, self.passing)
        return value if found else self._not_shown('a side effect')

    def _called(self, function: Callable[[], Any]) -> Any:
        with self.in_function_of_side_effect():
            return function()

    def patched(self, change: str) -> bool:
        if self.silent:
            self.describes(f'patched({change!r})')
            return False
        self.check_thread(f'patched({change!r})')
        return self.markers.patched(change)

    def deprecate_patch(self, change: str) -> None:
        if self.silent:
            self.describes(f'deprecate_patch({change!r})')
        else:
            self.check_thread(f'deprecate_patch({change!r})')
            self.markers.deprecate_patch(change)

    def origin(self, what: str, nearest: ExecutionIds) -> ExecutionIds:
        """The first run or the root, of an execution that event 1 does not say it of.

        Args:
            what: ``first_run_id`` or ``root``.
            nearest: The previous run, or the parent.
        """
        known = self.markers.known_origin(what)
        if known is not None:
            return known
        if self.silent:
            self.describes(f'info.{what}')
            return nearest
        self.check_thread(f'info.{what}')
        found = self.markers.origin(what, partial(self._looked_up, what, nearest))
        if found is None:
            self._not_shown(f'info.{what}')
        return found or nearest

    def _looked_up(self, what: str, nearest: ExecutionIds) -> ExecutionIds:
        if self.origins is None:
            return nearest
        try:
            return self.origins(what, nearest)
        except Exception as error:
            if self.abort is None:
                self.abort = LookUpFailed(
                    f'info.{what} of {self.info} cannot be looked up ({type(error).__name__}: {error}), so the '
                    f'decision of event {self.started_id} is not made'
                )
                self.abort.__cause__ = error
            raise Abort from error

    def set_status(self, value: Any) -> None:
        text = check_length(written(value, 'the status'), 'the status', 'set a reference to the data instead')
        if self.silent:
            self.describes('set_status()')
        else:
            self.check_thread('set_status()')
            self.context = text

    def give_up(self, error: GenflowError) -> None:
        """Ends the current decision with an error as soon as the user's code is left; from any thread."""
        self.abort = error

    def _not_shown(self, what: str) -> Any:
        """The code asks for what the decision being replayed does not show; it gets no further."""
        self.abort = NondeterminismError(
            f'the code asks for {what} in the decision of event {self.started_id}, where the history shows none\n'
            f'{self.describe_blocked()}',
            execution=str(self.info),
        )
        raise Abort
