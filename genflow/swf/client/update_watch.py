"""Updates from a program: an update is sent as a signal, and its reply is read from the end of the history.

The id of an update names it within a run. If the caller gives an id, the chain of runs is searched for it first, so a
program that died may send its update again. If a restart carries the update, the watch continues in the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from attrs import frozen

from genflow.core.authoring.updates import read_result
from genflow.core.errors import UpdateFailed, UpdateRefused
from genflow.core.model.wire_names import REFUSED_MARKER, REPLY_MARKER, UPDATE_SIGNAL
from genflow.core.payloads.failures import decode_failure
from genflow.core.payloads.hooks import Serialization, decode
from genflow.swf.aws import faults
from genflow.swf.aws.pagination import pages
from genflow.swf.client.watches import Waiter, Watch
from genflow.swf.wire.close_events import ENDINGS

__all__ = ['Request', 'UpdateWatch']

SENDINGS = 3
"""How often an update is sent where the connection broke and the history does not show it."""

HEAD_START = 5
"""Number of quick polls of a service on this machine: a reply takes one decision."""


@frozen
class Request:
    """An update to be sent.

    Attributes:
        id: Names it within a run.
        name: The method.
        text: The input of the signal.
        is_new: It cannot have been sent before.
    """

    id: str
    name: str
    text: str
    is_new: bool


class UpdateWatch(Watch[Any]):
    """Sends an update and waits for the reply.

    Args:
        client: As for :class:`Watch`.
        subject: Likewise.
        timeout: Likewise.
        request: The update.
        ids: Finds the workflow id and run id.
        latest: Finds those of the open run, or else the latest, of the workflow id.
        names_run: Whether ``ids`` stands for one run.
        page: Reads a page of a run's history.
        send: Sends a signal to a run.
        hooks: Reads the result.
        near: The service is on this machine.
    """

    def __init__(
        self,
        client: Waiter,
        subject: str,
        timeout: float | None,
        *,
        request: Request,
        ids: Callable[..., dict[str, str]],
        latest: Callable[..., dict[str, str]],
        names_run: bool,
        page: Callable[..., Mapping[str, Any]],
        send: Callable[..., Any],
        hooks: Serialization,
        near: bool,
    ) -> None:
        super().__init__(client, subject, timeout)
        self.request = request
        self.ids = ids
        self.latest = latest
        self.names_run = names_run
        self.page = page
        self.send = send
        self.hooks = hooks
        self.looks = -HEAD_START if near else 0
        self._seen = 0
        self._is_followed = False

    def too_late(self) -> Exception:
        return TimeoutError(f'{self.subject} has not answered the update {self.request.name!r} ({self.request.id})')

    def found(self) -> bool:
        if self.execution is None:
            self.execution = self._sent_before() or self._send()
        while (following := self._look(self.execution)) is not None:
            self.execution, self._seen, self._is_followed = following, 0, True
        return hasattr(self, 'answer')

    # sending

    def _sent_before(self) -> dict[str, str] | None:
        """The run of the chain that the update has been sent to, the latest one first."""
        if self.request.is_new:
            return None
        run: dict[str, str] | None = self.in_time(self.ids)
        while run is not None:
            previous = None
            for event in self._events(run):
                if self._names(event):
                    return run
                if event['eventId'] == 1:
                    previous = event['workflowExecutionStartedEventAttributes'].get('continuedExecutionRunId')
            run = None if previous is None else {**run, 'runId': previous}
        return None

    def _send(self) -> dict[str, str]:
        """Sends it to the open run; the run.

        Raises:
            UpdateFailed: It is unknown whether it was delivered.
            Exception: The client's error; ``UnknownResourceFault`` where the execution is closed.
        """
        run: dict[str, str] = self.in_time(self.ids)
        for _ in range(SENDINGS):
            try:
                self.in_time(partial(self.send, run, UPDATE_SIGNAL, self.request.text), _is_undelivered)
            except Exception as error:
                if faults.code_of(error) == 'UnknownResourceFault':
                    before, run = run, self._run_after(run)
                    if run == before:
                        raise
                elif not (faults.is_doubtful(error) or isinstance(error, TimeoutError)):
                    raise
                elif any(self._names(event) for event in self._events(run)):
                    return run
            else:
                return run
        raise UpdateFailed(f'the update {self.request.name!r} could not be sent: the connection broke each time')

    def _run_after(self, run: dict[str, str]) -> dict[str, str]:
        """The run to ask instead of a closed one: the open one, unless a run was named that has not been continued."""
        last = next(self._events(run))
        if self.names_run and last['eventType'] != 'WorkflowExecutionContinuedAsNew':
            return run
        found: dict[str, str] = self.in_time(self.latest)
        return found

    # reading

    def _look(self, run: dict[str, str]) -> dict[str, str] | None:
        """Reads what is new in a run; the run that follows it, if it has been continued."""
        last: Mapping[str, Any] | None = None
        for event in self._events(run):
            last = last or event
            if event['eventId'] <= self._seen or self._is_reply(event) or _signals(event, self.request.id):
                break
            if event['eventId'] == 1 and self._is_followed and not self._names(event):
                raise self._unanswered('WorkflowExecutionContinuedAsNew')
        if last is None or hasattr(self, 'answer'):
            return None
        self._seen = last['eventId']
        if last['eventType'] == 'WorkflowExecutionContinuedAsNew':
            attributes = last['workflowExecutionContinuedAsNewEventAttributes']
            return {**run, 'runId': attributes['newExecutionRunId']}
        if last['eventType'] in ENDINGS:
            raise self._unanswered(last['eventType'])
        return None

    def _unanswered(self, close: str) -> UpdateFailed:
        return UpdateFailed(
            f'{self.subject} closed ({close}) without a reply to the update {self.request.name!r}; '
            'a close carries no reply: have run wait once more, as with sleep(0), where the update ends it'
        )

    def _events(self, run: dict[str, str]) -> Iterator[Mapping[str, Any]]:
        """The events of a run, the latest first."""
        for page in pages(partial(self._page, run)):
            yield from page['events']

    def _page(self, run: dict[str, str], **request: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.in_time(partial(self.page, run, reverseOrder=True, **request))
        return found

    def _names(self, event: Mapping[str, Any]) -> bool:
        """Whether an event tells of this update: it was sent, carried or answered."""
        if event['eventId'] == 1:
            text = event['workflowExecutionStartedEventAttributes'].get('input')
            return UPDATE_SIGNAL in (text or '') and self.request.id in (text or '')
        return _signals(event, self.request.id) or self._marks(event) is not None

    def _marks(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a marker says of this update."""
        if event['eventType'] != 'MarkerRecorded':
            return None
        attributes = event['markerRecordedEventAttributes']
        if attributes['markerName'] not in (REPLY_MARKER, REFUSED_MARKER):
            return None
        envelope = _opened(attributes.get('details'))
        if attributes['markerName'] == REPLY_MARKER:
            return envelope if envelope.get('id') == self.request.id else None
        reason = envelope.get('updates', {}).get(self.request.id)
        return None if reason is None else {'refused': reason}

    def _is_reply(self, event: Mapping[str, Any]) -> bool:
        """Whether an event is the reply; sets the answer.

        Raises:
            UpdateFailed: The handler failed, or the validator refused the update.
        """
        reply = self._marks(event)
        if reply is None:
            return False
        if 'refused' in reply:
            raise UpdateRefused(reply['refused'])
        if 'result' not in reply:
            remote = decode_failure(reply['reason'], reply['details'])
            error = UpdateFailed(remote.reason, remote.details, remote.traceback)
            error.names = remote.names
            raise error
        self.answer = read_result(self.hooks, self.request.name, reply['result'])
        return True


def _is_undelivered(error: Exception) -> bool:
    """Whether a failure will pass and cannot have delivered what was sent."""
    return faults.is_transient(error) and not faults.is_doubtful(error)


def _signals(event: Mapping[str, Any], update_id: str) -> bool:
    """Whether an event is the signal that sent an update."""
    if event['eventType'] != 'WorkflowExecutionSignaled':
        return False
    attributes = event['workflowExecutionSignaledEventAttributes']
    return attributes['signalName'] == UPDATE_SIGNAL and _opened(attributes.get('input')).get('id') == update_id


def _opened(text: str | None) -> dict[str, Any]:
    try:
        envelope = decode(text or '')
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}
