"""Calls of Lambda functions."""

from __future__ import annotations

from typing import Any

from genflow.core.calls.call import RetryableCall
from genflow.core.errors import LambdaFailed, LambdaTimedOut, TaskFailed
from genflow.core.model import decisions, events

__all__ = ['LambdaCall']


class LambdaCall(RetryableCall):
    """``self.resize(event)`` where ``resize`` is a ``LambdaProxy``."""

    __slots__ = ()

    kind = 'lambda'
    quota = 'lambda'

    def start_decision(self) -> decisions.Decision:
        limit = self.settings.start_to_close
        return decisions.ScheduleLambda(
            self.attempt_id, self.proxy.name, self.input, None, None if limit is None else int(limit)
        )

    def matches_start(self, event: Any) -> bool:
        if isinstance(event, events.Refused):
            return event.kind == 'lambda' and event.key == self.attempt_id
        return (
            isinstance(event, events.LambdaScheduled)
            and event.lambda_id == self.attempt_id
            and event.name == self.proxy.name
        )

    def apply(self, event: Any) -> None:
        del self.loop.refs[event.ref]
        _LAMBDA[type(event)](self, event)

    def failed(self, event: events.Failed) -> None:
        self.attempt_failed(LambdaFailed(event.reason, event.details, task=self))

    def timed_out(self, event: events.TimedOut) -> None:
        error = LambdaTimedOut(f'timed out: {event.timeout_type}', task=self, timeout_type=event.timeout_type)
        self.attempt_failed(error)

    def undelivered(self, event: events.Undelivered) -> None:
        self.attempt_failed(LambdaFailed(event.cause, event.message, task=self))

    def timeout_error(self, seconds: int) -> TaskFailed:
        return LambdaTimedOut(f'not settled within {seconds} s', task=self)


_LAMBDA: dict[type, Any] = {
    events.Completed: LambdaCall.succeeded,
    events.Failed: LambdaCall.failed,
    events.TimedOut: LambdaCall.timed_out,
    events.Undelivered: LambdaCall.undelivered,
}
