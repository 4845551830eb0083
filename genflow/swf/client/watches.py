"""Waiting for an execution: it is polled until there is an answer or time is up.

A watch does not sleep between two polls itself, so that threads and event loops can use it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from genflow.core.errors import NotDecidedYet
from genflow.core.payloads.hooks import Serialization, decode
from genflow.steady_time import monotonic
from genflow.swf.aws import faults
from genflow.swf.client.close_bell import CloseBell
from genflow.swf.wire.close_events import ENDINGS, result_of

__all__ = ['ContextWatch', 'QueryWatch', 'ResultWatch', 'StatusWatch', 'Waiter', 'Watch', 'status_of']

T = TypeVar('T')

FIRST_LOOK = 0.5
"""Seconds that the first poll may always take, so that ``result(0)`` can return a result that is there."""

CLOSE_TO_THE_END = 0.02
"""If fewer seconds of the time-out are left, no further poll is made."""


class Waiter(Protocol):
    """The part of a client that a watch uses."""

    def bell(self, ring: Callable[[], None]) -> CloseBell:
        """Makes a bell that rings when a run closes."""
        ...

    def wait(self, looks: int, longest: float | None, rung: threading.Event | None = None) -> None:
        """Waits before the next look; not longer than until the event is set."""

    def refuse_when_closed(self, error: BaseException) -> None:
        """Raises where the client was closed."""


def _may_pass(error: Exception) -> bool:
    """Whether a failure to read may be over when one tries again."""
    return isinstance(error, TimeoutError) or faults.is_transient(error)


class Watch(Generic[T]):
    """Looks at one execution.

    Args:
        client: Whose execution it is.
        subject: The execution, for error texts.
        timeout: Seconds to wait, ``None`` for ever.

    Attributes:
        looks: Number of polls without an answer.
        execution: The ids of the run with whose close the next look may find something; ``None`` for no known one.
        answer: The result of the wait, once :meth:`look` returns true.
    """

    answer: T

    def __init__(self, client: Waiter, subject: str, timeout: float | None) -> None:
        self.client = client
        self.subject = subject
        self.give_up = None if timeout is None else monotonic() + timeout
        self.looks = 0
        self.execution: dict[str, str] | None = None
        self._failure: BaseException | None = None  # the service's last; a call that ran out of time says less

    def found(self) -> bool:
        """Looks once; sets ``answer`` and is true where there is one."""
        raise NotImplementedError

    def too_late(self) -> Exception:
        """The error for the end of the time."""
        return TimeoutError(f'{self.subject} is still open')

    def look(self) -> bool:
        """Looks once; whether there is an answer.

        Raises:
            TimeoutError: Time is up, or the service does not answer.
        """
        if self.found():
            return True
        self.looks += 1
        if self.give_up is not None and monotonic() >= self.give_up:
            raise self.too_late()
        return False

    def left(self) -> float | None:
        """The seconds that are left, ``None`` for no limit."""
        return None if self.give_up is None else self.give_up - monotonic()

    def run(self) -> T:
        """Waits on this thread."""
        if not self.look():
            self._wait_for_bell()
        return self.answer

    def _wait_for_bell(self) -> None:
        rung = threading.Event()
        bell = self.client.bell(rung.set)
        try:
            while True:
                bell.wait_for(self.execution)
                self.client.wait(self.looks, self.left(), rung)
                rung.clear()
                if self.look():
                    return
        finally:
            bell.leave()

    def in_time(self, call: Callable[..., Any], again: Callable[[Exception], bool] = _may_pass) -> Any:
        """What ``call`` gives, tried through an outage until time is up.

        Args:
            call: Takes the argument ``patience``.
            again: Whether it may be tried again after a failure.

        Raises:
            TimeoutError: Time is up and the service does not answer; from the last failure.
        """
        failures = 0
        while True:
            try:
                return call(**self.patience(failures))
            except Exception as error:
                self.client.refuse_when_closed(error)
                if not again(error):
                    raise
                failures += 1
                self.outlast(error, failures)

    def patience(self, failures: int) -> dict[str, float]:
        """For how long a call is tried after so many failures, as its argument; its own default without a time-out."""
        if self.give_up is None:
            return {}
        return {'patience': max(0.0 if failures else FIRST_LOOK, self.give_up - monotonic())}

    def outlast(self, error: Exception, failures: int) -> None:
        """Waits after a failure of the service.

        Raises:
            TimeoutError: Time is up; from the failure.
            Exception: The failure, where there is no time-out.
        """
        if self.give_up is None:
            raise error
        self._failure = (error.__cause__ if isinstance(error, TimeoutError) else error) or self._failure
        if monotonic() >= self.give_up - CLOSE_TO_THE_END:
            cause = self._failure or error
            raise TimeoutError(f'{self.subject}: the service does not answer: {cause}') from cause
        self.client.wait(failures, self.give_up - monotonic())


class ResultWatch(Watch[T]):
    """Waits for the result of an execution, through all its restarts.

    Args:
        client: As for :class:`Watch`.
        subject: Likewise.
        timeout: Likewise.
        ids: Finds the workflow id and run id.
        page: Reads a page of a run's history.
        hooks: Reads the result.
    """

    def __init__(
        self,
        client: Waiter,
        subject: str,
        timeout: float | None,
        ids: Callable[..., dict[str, str]],
        page: Callable[..., Mapping[str, Any]],
        hooks: Serialization,
    ) -> None:
        super().__init__(client, subject, timeout)
        self.ids = ids
        self.page = page
        self.hooks = hooks

    def found(self) -> bool:
        run: dict[str, str] = self.execution or self.in_time(self.ids)
        while True:
            self.execution = run
            glance = partial(self.page, run, reverseOrder=True, maximumPageSize=1)
            last = self.in_time(glance)['events'][0]
            if last['eventType'] != 'WorkflowExecutionContinuedAsNew':
                break
            attributes = last['workflowExecutionContinuedAsNewEventAttributes']
            run, self.looks = {**run, 'runId': attributes['newExecutionRunId']}, 0
        if last['eventType'] not in ENDINGS:
            return False
        self.answer = result_of(last, self.hooks)
        return True


def status_of(info: Mapping[str, Any]) -> str:
    """The state of an execution, from SWF's ``executionInfo``: how it closed, or that it is open."""
    status: str = info.get('closeStatus') or info['executionStatus']
    return status


class StatusWatch(Watch[str]):
    """Waits until an execution is in one of some states, or has closed.

    Args:
        client: As for :class:`Watch`.
        subject: Likewise.
        timeout: Likewise.
        described: Describes the execution.
        wanted: The states; none of them for any close.
    """

    def __init__(
        self,
        client: Waiter,
        subject: str,
        timeout: float | None,
        described: Callable[..., Mapping[str, Any]],
        wanted: Collection[str],
    ) -> None:
        super().__init__(client, subject, timeout)
        self.described = described
        self.wanted = wanted

    def found(self) -> bool:
        info = self.in_time(self.described)['executionInfo']
        self.execution, self.answer = info['execution'], status_of(info)
        return self.answer != 'OPEN' or self.answer in self.wanted


def _shown_status(described: Mapping[str, Any]) -> Any:
    """What a described execution's workflow has set with ``set_status``; ``None`` if nothing."""
    text = described.get('latestExecutionContext')
    return decode(text) if text else None


class _OptionalWatch(Watch[Any]):
    """Waits only if it is asked to: without seconds to wait, it looks once, and the calls have their usual patience."""

    def __init__(self, client: Waiter, subject: str, seconds: float | None) -> None:
        super().__init__(client, subject, seconds)
        self._waits = seconds != 0

    def patience(self, failures: int) -> dict[str, float]:
        return super().patience(failures) if self._waits else {}

    def outlast(self, error: Exception, failures: int) -> None:
        if not self._waits:
            raise error
        super().outlast(error, failures)


class ContextWatch(_OptionalWatch):
    """Waits until a workflow has set a status; the answer is ``None`` if it closes, or time is up, before that.

    Args:
        client: As for :class:`Watch`.
        subject: Likewise.
        seconds: To wait, 0 for not at all.
        described: Describes the execution.
    """

    def __init__(
        self, client: Waiter, subject: str, seconds: float | None, described: Callable[..., Mapping[str, Any]]
    ) -> None:
        super().__init__(client, subject, seconds)
        self.described = described

    def found(self) -> bool:
        found = self.in_time(self.described)
        self.execution = found['executionInfo']['execution']
        self.answer = _shown_status(found)
        return self.answer is not None or found['executionInfo']['executionStatus'] == 'CLOSED'

    def look(self) -> bool:
        if self.found():
            return True
        self.looks += 1
        return self.give_up is not None and monotonic() >= self.give_up


class QueryWatch(_OptionalWatch):
    """Waits until a query can be answered: until a decision has been made.

    Args:
        client: As for :class:`Watch`.
        subject: Likewise.
        seconds: To wait, 0 for not at all.
        read: Reads the run and its history.
        ask: Asks the query on what was read.
    """

    def __init__(
        self,
        client: Waiter,
        subject: str,
        seconds: float | None,
        read: Callable[..., T],
        ask: Callable[[T], Any],
    ) -> None:
        super().__init__(client, subject, seconds)
        self.read = read
        self.ask = ask
        self.error: Exception = NotDecidedYet(f'{subject} has made no decision yet')

    def found(self) -> bool:
        history = self.in_time(self.read)
        try:
            self.answer = self.ask(history)
        except NotDecidedYet as error:
            self.error = error
            return False
        return True

    def too_late(self) -> Exception:
        return self.error
