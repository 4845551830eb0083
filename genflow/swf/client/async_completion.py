"""Answers activities from outside a worker, by the token of an activity that raised ``SuspendTask``."""

from __future__ import annotations

from typing import Any

from genflow.core.authoring.activity import heartbeat_text
from genflow.core.payloads.failures import MAX_REASON
from genflow.core.payloads.hooks import MAX_PAYLOAD, Serialization, use_transport
from genflow.core.payloads.wire_text import plain, sendable, shortened
from genflow.core.payloads.writing import INPUT_WAY_OUT, RESULT_WAY_OUT, check_length
from genflow.swf.aws import faults
from genflow.swf.aws.client import RetryingClient

__all__ = ['AsyncCompletion']


class AsyncCompletion(Serialization):
    """Answers activities by their tokens. Each method returns false if the task no longer exists.

    Args:
        service: Where to.
        domain: The SWF domain, for people; a token names its task by itself.
        transport: An object with the serialization methods.
    """

    def __init__(self, service: RetryingClient, domain: str, *, transport: Any = None) -> None:
        self.service = service
        self.domain = domain
        if transport is not None:
            use_transport(self, transport)

    def heartbeat(self, token: str, details: str | None = None) -> bool:
        """Records a heartbeat. Returns false if the task no longer exists or its cancellation was requested.

        Raises:
            TypeError: ``details`` is no text.
            PayloadTooLarge: ``details`` has more than 2,048 characters.
        """
        answer = self._answer('record_activity_task_heartbeat', token, details=heartbeat_text(details))
        return answer is not None and not answer.get('cancelRequested')

    def complete(self, token: str, result: Any = None) -> bool:
        """Gives the activity's result.

        Raises:
            PayloadTooLarge: It has more than 32,768 characters once it is serialized.
        """
        text = check_length(self._serialize_result(result), 'the result of an activity', RESULT_WAY_OUT)
        return self._answer('respond_activity_task_completed', token, result=text) is not None

    def fail(self, token: str, reason: str, details: str | None = None) -> bool:
        """Fails the activity.

        Args:
            token: The task's.
            reason: Cut to the 256 characters that SWF takes.
            details: Cut to 32,768 characters.
        """
        more = None if details is None else shortened(details, MAX_PAYLOAD)
        reason = shortened(reason, MAX_REASON)
        operation = 'respond_activity_task_failed'
        try:
            return self._answer(operation, token, reason=reason, details=more) is not None
        except Exception as error:
            if not faults.is_unsupported(error):
                raise
            return self._answer(operation, token, reason=plain(reason, MAX_REASON)) is not None

    def cancel(self, token: str, details: str | None = None) -> bool:
        """Answers that the activity was canceled, as its cancellation was requested."""
        text = None
        if details is not None:
            text = check_length(sendable(details), 'the details of a cancellation', INPUT_WAY_OUT)
        return self._answer('respond_activity_task_canceled', token, details=text) is not None

    def _answer(self, operation: str, token: str, **attributes: str | None) -> dict[str, Any] | None:
        request: dict[str, Any] = {name: value for name, value in attributes.items() if value is not None}
        try:
            return self.service.call(operation, taskToken=token, **request)
        except Exception as error:
            if faults.is_late(error):
                return None
            raise
