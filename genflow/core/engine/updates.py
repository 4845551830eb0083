"""Updates as the engine takes them: signals of one name, each with an id, that begin a handler and are answered.

*Theory of operation.* An update is a signal called ``genflow.update``. Its box stands among the mailboxes, and begins
the handler at the signal's own event, outside of any branch. The reply is an entry of the outbox, as calls are: a
marker ``genflow.reply`` that the history shows at its place among them. So it waits for the next response where this
one is full. A close carries none; a restart waits until they are sent.

A validator is asked live only. What it refuses is recorded in this decision's own markers (``genflow.refused``), which
go with it. So a replay knows of each update whether it was taken, though it asks no validator.

Updates that a restart carries come before ``run`` begins, and are taken once it stands still. Those that come after
``run`` has ended are answered with a failure, or carried where it restarts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from genflow.core.authoring.updates import read_arguments, unknown_update, updates_of, validator_of
from genflow.core.engine.outbox import EngineEntry
from genflow.core.engine.pending_close import ContinueWith
from genflow.core.engine.state import State
from genflow.core.errors import DefinitionError
from genflow.core.model.decisions import RecordMarker
from genflow.core.model.events import MarkerRecorded, Signaled
from genflow.core.model.wire_names import REFUSED_MARKER, REPLY_MARKER
from genflow.core.payloads.failures import MAX_REASON, encode_failure
from genflow.core.payloads.hooks import MAX_PAYLOAD, decode, encode
from genflow.core.payloads.wire_text import shortened, units
from genflow.core.payloads.writing import RESULT_WAY_OUT, check_length, written
from genflow.core.tasks.nested import holds_task, returned_task
from genflow.core.tasks.signals import Mailbox, Message
from genflow.core.tasks.task import OPEN, VALUE, Task

__all__ = ['Reply', 'UpdateBox', 'has_replies']


@frozen
class Update:
    """What somebody asks.

    Attributes:
        id: Names it within a run.
        name: The method.
        input: The arguments as text.
    """

    id: str
    name: str
    input: str

    @classmethod
    def read(cls, text: str | None) -> Update:
        """The update that a signal's input is.

        Raises:
            ValueError: It is none.
        """
        envelope = decode(text or '')
        found = [envelope.get(name) for name in ('id', 'name', 'input')] if isinstance(envelope, dict) else [None]
        if not all(isinstance(value, str) for value in found):
            raise ValueError('it has no id, name and input')
        return cls(*found)


class Reply(EngineEntry):
    """An entry of the outbox: the answer to an update.

    Attributes:
        input: The result as text, which a replay compares; ``None`` of a failure, whose text is for people.
        decided_in: The DecisionTaskStarted of the decision in which the handler ended.
    """

    __slots__ = ('_update', 'decided_in', 'details', 'input')

    def __init__(self, update: Update, details: str, result: str | None, decided_in: int) -> None:
        super().__init__()
        self._update = update
        self.decided_in = decided_in
        self.details = details
        self.input = result

    def decision(self) -> RecordMarker:
        return RecordMarker(REPLY_MARKER, self.details)

    def matches(self, event: Any) -> bool:
        if not isinstance(event, MarkerRecorded) or event.name != REPLY_MARKER:
            return False
        envelope = _opened(event)
        return envelope.get('id') == self._update.id and ('result' in envelope) == (self.input is not None)

    def recorded_input(self, event: Any) -> str | None:
        result: str | None = _opened(event).get('result')
        return result

    def description(self) -> dict[str, Any]:
        return {'kind': 'reply', 'update': self._update.name, 'id': self._update.id}

    @property
    def label(self) -> str:
        return f'the reply to the update {self._update.name!r} with the id {self._update.id!r}'


def has_replies(state: State, *, earlier: bool = False) -> bool:
    """Whether replies are still to be sent.

    Args:
        state: Of the execution.
        earlier: Look only for those that earlier decisions had no room for.
    """
    replies = (entry for entry in state.outbox.unsent() if isinstance(entry, Reply))
    return any(not earlier or reply.decided_in != state.started_id for reply in replies)


class UpdateBox(Mailbox):
    """Takes the updates of one execution; its unread items are those that wait for ``run``, or for the next run."""

    __slots__ = ('_known', '_state')

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state
        self._known: set[str] = set()

    # as a mailbox

    def push(self, input: str | None) -> None:
        """A restart has carried it."""
        self.items.append(Message(input))
        self._state.queue.append(self)

    def announce(self, event: Signaled) -> None:
        """It is taken at its own event."""

    def reveal(self) -> None:
        """Nobody looks for it."""

    def arrive(self, event: Signaled) -> None:
        self._take(event.input)

    def run_callbacks(self) -> None:
        """As a place in the queue: ``run`` stands still for the first time."""
        carried = list(self.items)
        self.items.clear()
        for message in carried:
            self._take(message.text)

    # updates

    def _take(self, text: str | None) -> None:
        state = self._state
        try:
            update = Update.read(text)
        except ValueError as error:
            if not state.replaying:
                state.report(f'{state.info}: the input of a signal is not an update, and is dropped ({error})')
            return
        if update.id in self._known:
            return
        if self._is_carried():
            self.items.append(Message(text))
            return
        self._known.add(update.id)
        self.read += 1
        if state.root is None or state.root.state != OPEN:
            self._answer_failure(update, DefinitionError(f'{state.spec.name} had ended when the update came'))
        else:
            self._begin(update)

    def _is_carried(self) -> bool:
        """Whether the next run is to take what comes now."""
        state = self._state
        if state.pending_close is not None:
            return isinstance(state.pending_close, ContinueWith)
        return state.root is not None and state.root.state == VALUE and state.restart is not None

    def _begin(self, update: Update) -> None:
        state = self._state
        before, state.current = state.current, None
        try:
            handler, args, kwargs = self._opened(update)
            if self._refuses(update, args, kwargs):
                return
            found = handler(*args, **kwargs)
            task = self._task_of(found)
        except state.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - what the user's handler raises is the reply
            self._answer_failure(update, error)
        else:
            if task is None:
                self._answer(update, found)
            else:
                Answering(self, update).attach(task)
        finally:
            state.current, state.has_run = before, True

    def _opened(self, update: Update) -> tuple[Callable[..., Any], Any, Any]:
        """The handler and its arguments.

        Raises:
            AttributeError: There is no such update.
            Exception: The arguments cannot be read.
        """
        workflow: Any = self._state.workflow
        cls: type = type(workflow)
        if update.name not in updates_of(cls):
            raise AttributeError(unknown_update(cls, update.name))
        args, kwargs = read_arguments(workflow, update.name, update.input)
        return getattr(workflow, update.name), args, kwargs

    def _task_of(self, found: Any) -> Task[Any] | None:
        """The task of what a handler gave: a branch, or the tasks in a value."""
        if hasattr(found, 'gi_frame'):
            return self._state.spawn(found)
        return returned_task(self._state, found) if holds_task(found) else None

    # validators

    def _refuses(self, update: Update, args: Any, kwargs: Any) -> bool:
        state = self._state
        if state.replaying:
            return self._was_refused(update)
        name = validator_of(type(state.workflow), update.name)
        if name is None:
            return False
        try:
            state.read_only(lambda: f'the validator {name}()', getattr(state.workflow, name), *args, **kwargs)
        except state.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - what the validator raises is the refusal
            self._refuse(update, error)
            return True
        return False

    def _was_refused(self, update: Update) -> bool:
        made = self._state.markers.made
        for event in self._state.output:
            if type(event) is MarkerRecorded and event.name == REFUSED_MARKER and update.id in _refusals(event.details):
                marker = RecordMarker(REFUSED_MARKER, event.details)
                if marker not in made:
                    made.append(marker)
                return True
        return False

    def _refuse(self, update: Update, error: BaseException) -> None:
        """Puts the refusal into the last marker of this decision's refusals, or into a new one where that is full."""
        made, reason = self._state.markers.made, shortened(encode_failure(error, '')[0], MAX_REASON)
        place = max((place for place, marker in enumerate(made) if marker.name == REFUSED_MARKER), default=None)
        if place is not None:
            details = encode({'updates': {**_refusals(made[place].details), update.id: reason}})
            if units(details) <= MAX_PAYLOAD:
                made[place] = RecordMarker(REFUSED_MARKER, details)
                return
        made.append(RecordMarker(REFUSED_MARKER, encode({'updates': {update.id: reason}})))

    # replies

    def answer(self, update: Update, task: Task[Any]) -> None:
        """The handler has ended."""
        if task.state == VALUE:
            self._answer(update, task.outcome)
        else:
            self._answer_failure(update, task.outcome)

    def _answer(self, update: Update, value: Any) -> None:
        try:
            reply = self._reply(update, value)
        except Exception as error:  # noqa: BLE001 - what the user's serializer raises is the reply
            self._answer_failure(update, error)
        else:
            self._send(reply)

    def _reply(self, update: Update, value: Any) -> Reply:
        workflow: Any = self._state.workflow
        what = f'the result of the update {update.name!r}'
        result = written(value, what, workflow._serialize_result)
        details = encode({'id': update.id, 'result': result})
        check_length(details, f'{what}, with what a reply puts around it,', RESULT_WAY_OUT)
        return Reply(update, details, result, self._state.started_id)

    def _answer_failure(self, update: Update, error: BaseException) -> None:
        for traceback in (None, ''):
            reason, text = encode_failure(error, traceback)
            details = encode({'id': update.id, 'reason': reason, 'details': text})
            if units(details) <= MAX_PAYLOAD:
                break
        else:
            details = encode({'id': update.id, 'reason': reason, 'details': None})
        self._send(Reply(update, details, None, self._state.started_id))

    def _send(self, reply: Reply) -> None:
        if not self._state.silent:
            self._state.outbox.add(reply)


class Answering:
    """Waits for a handler."""

    __slots__ = ('_box', '_update')

    is_stale = False

    def __init__(self, box: UpdateBox, update: Update) -> None:
        self._box = box
        self._update = update

    def attach(self, task: Task[Any]) -> None:
        if task.state == OPEN:
            task.await_by(self)
        else:
            self.notify(task)

    def is_waiting_for(self, task: Task[Any]) -> bool:
        return True

    def notify(self, task: Task[Any]) -> None:
        task.mark_retrieved()
        self._box.answer(self._update, task)


def _opened(event: Any) -> dict[str, Any]:
    try:
        envelope = decode(event.details or '')
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _refusals(details: str | None) -> dict[str, str]:
    """The reasons of the refusals that a marker records, by the update's id."""
    found = decode(details or '{}').get('updates')
    return found if isinstance(found, dict) else {}
