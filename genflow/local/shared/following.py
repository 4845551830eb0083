"""The part of a process that follows: it has the leader carry out its calls, and sees whether the leader is there."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from genflow.local.json_text import encode
from genflow.local.shared.link import HOLD, NUMBER, OWNS, WAITS_FROM, Abandoning, ConnectionLost, Link
from genflow.local.shared.notice import Notice
from genflow.local.shared.numbers import POLLS
from genflow.local.shared.round_calls import round_body
from genflow.local.state.answers import Caller

__all__ = ['UNREACHABLE', 'Following', 'RemotePoll']

LOG = logging.getLogger(__name__)

SILENCE = 10.0
"""Seconds without a sign of life after which the leader may be stopped."""

UNREACHABLE = 10.0
"""Seconds for which a leader that cannot be reached is waited for."""


class Following:
    """This process calls the leader.

    Raises:
        ConnectionLost: There is none at that address.
    """

    def __init__(self, notice: Notice, process: str) -> None:
        self.leader = notice
        self.process = process
        self.link = Link(notice, process)
        self.presence = stream = self.link.stream()
        try:
            stream.send(self.link.request('/_genflow/presence', {}, ''))
            stream.response()
        except BaseException:  # it was about to end
            stream.close()
            raise

    def perform(
        self,
        operation: str,
        request: dict[str, Any],
        caller: Caller,
        hold: float,
        *,
        right: bool,
        again: bool,
        abandoning: Abandoning | None = None,
    ) -> dict[str, Any] | None:
        """Have the leader carry out a call."""
        polls = operation in POLLS and not request.get('nextPageToken')
        headers: dict[str, object] = {NUMBER: caller.number, WAITS_FROM: caller.waits_from, OWNS: int(caller.owns)}
        if polls:
            headers[HOLD] = max(0.0, hold)
        response = self.link.perform(operation, request, headers, abandoning)
        answer: dict[str, Any] | None = json.loads(response.body) if response.body else None
        if polls and response.is_last and not (answer and answer.get('taskToken')):
            raise ConnectionLost('the leader leaves, and had no task')
        return answer

    def carry_out_round(self, answers: Sequence[Any], wants: Sequence[Any], caller: Caller) -> dict[str, Any]:
        """Have the leader carry out a round."""
        found: dict[str, Any] = self.control('round', round_body(answers, wants, caller))
        return found

    def wait_for_tasks(self, wants: Sequence[Any], hold: float, abandoning: Abandoning) -> None:
        """Come back when one of the lists has a task, after so many seconds, or when it is abandoned."""
        self.link.call('/_genflow/wait', {HOLD: hold}, encode(wants), abandoning)

    def control(self, what: str, body: Any = None) -> Any:
        """Ask the leader for something that is no operation of SWF."""
        return json.loads(self.link.call(f'/_genflow/{what}', {}, encode(body)).body)

    def watch(self, is_wanted: Callable[[], bool], asked: Callable[[dict[str, Any]], None]) -> None:
        """See that the leader is there, until it is gone.

        Args:
            is_wanted: Whether anybody still wants to know.
            asked: Called with what the leader asks for: to run a Lambda function.
        """
        warned = False
        try:
            while is_wanted():
                try:
                    self.presence.set_timeout(SILENCE)
                    line = self.presence.line()
                except TimeoutError:
                    if not warned:
                        self._warn()
                    warned = True
                    continue
                except (ConnectionLost, OSError):
                    return
                if line:
                    asked(json.loads(line))
        finally:
            self.presence.close()

    def _warn(self) -> None:
        LOG.warning(
            'Process %s, which leads the file, does not respond; it may be suspended. Calls wait for it.',
            self.leader.process.partition('.')[0],
        )

    def close(self, *, ends_tasks: bool, given_up: Sequence[int] = ()) -> None:
        """Leave.

        Args:
            ends_tasks: The tasks that this process has started are timed out at once; otherwise others may answer them
                with their tokens.
            given_up: The numbers of calls whose answers nobody waits for any more.
        """
        if not ends_tasks:
            with contextlib.suppress(ConnectionLost):
                self.presence.send(f'{list(given_up)}\n'.encode())
        self.presence.shut()
        self.link.close()


class RemotePoll:
    """A long poll behind the leader, for a front of this process: a thread waits for it."""

    def __init__(self, poll: Callable[[Abandoning], dict[str, Any]], hold: float, wake: Callable[[], None]) -> None:
        self.hold = hold + UNREACHABLE
        self._poll = poll
        self._abandoning = Abandoning()
        self._wake = wake
        self._answer: str | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def attempt(self, *, last: bool = False) -> str | None:
        """The answer, if it is there."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name='genflow-local-poll', daemon=True)
            self._thread.start()
        if last:
            self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = encode(self._poll(self._abandoning))
        except Exception as error:  # noqa: BLE001 - whoever polls gets it
            self._error = error
        self._wake()

    def abandon(self) -> None:
        """Nobody waits for the answer any more; a task that is on its way already waits for its time-out."""
        self._abandoning.abandon()
