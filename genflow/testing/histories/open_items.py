"""What is open in a history: the items that later events may speak of, and the state of the decision task.

The ledger is read from SWF's event dicts alone, so a history that was loaded from a file can be continued as one that
a test made. It knows SWF's references: which event names which by its id. Items are values; a copied ledger shares
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen

from genflow.core.errors import GenflowError

__all__ = ['ImpossibleStory', 'Item', 'OpenItems', 'attributes_of', 'member_of']

Event = Mapping[str, Any]


class ImpossibleStory(GenflowError, ValueError):
    """A history was told that SWF could not have recorded; the text says what stands against it."""


def member_of(event_type: str) -> str:
    """``'TimerFired'`` gives ``'timerFiredEventAttributes'``."""
    return f'{event_type[0].lower()}{event_type[1:]}EventAttributes'


def attributes_of(event: Event) -> Mapping[str, Any]:
    """The attributes of an event dict; none where it lacks them."""
    found: Mapping[str, Any] = event.get(member_of(event['eventType']), {})
    return found


@frozen
class Item:
    """Something that a decision opened and that SWF has not closed.

    Attributes:
        kind: ``activity``, ``child``, ``timer``, ``lambda``, ``signal`` or ``cancel request``.
        id: The event that opened it; 0 where it is still a decision.
        key: The activity id, workflow id, timer id or Lambda id; of a signal or cancel request its control.
        name: Of the type, function or signal; ``None`` for timers and cancel requests.
        version: Of the type.
        said: The attributes of the event that opened it.
        started_id: The event that started it, 0 before that.
        cancel_id: The event that asked for its cancellation, 0 if there is none.
        run_id: Of a child that has started.
    """

    kind: str
    id: int
    key: str
    name: str | None
    version: str | None
    said: Mapping[str, Any]
    started_id: int = 0
    cancel_id: int = 0
    run_id: str = ''

    def __str__(self) -> str:
        words = [self.kind, f'{self.key!r}', *(word for word in (self.name, self.version) if word)]
        if self.said.get('input') is not None:
            words.append(self.said['input'])
        return ' '.join(words)


OPENS: dict[str, tuple[str, str, str | None]] = {
    'ActivityTaskScheduled': ('activity', 'activityId', 'activityType'),
    'StartChildWorkflowExecutionInitiated': ('child', 'workflowId', 'workflowType'),
    'TimerStarted': ('timer', 'timerId', None),
    'LambdaFunctionScheduled': ('lambda', 'id', 'name'),
    'SignalExternalWorkflowExecutionInitiated': ('signal', 'control', 'signalName'),
    'RequestCancelExternalWorkflowExecutionInitiated': ('cancel request', 'control', None),
}
"""What opens an item: its kind, the attribute with its key, and the one with its type or name."""

STARTS = {
    'ActivityTaskStarted': 'scheduledEventId',
    'LambdaFunctionStarted': 'scheduledEventId',
    'ChildWorkflowExecutionStarted': 'initiatedEventId',
}
"""What starts an item, and the attribute that names the event which opened it."""

SETTLES = {
    'ActivityTaskCompleted': 'scheduledEventId',
    'ActivityTaskFailed': 'scheduledEventId',
    'ActivityTaskTimedOut': 'scheduledEventId',
    'ActivityTaskCanceled': 'scheduledEventId',
    'LambdaFunctionCompleted': 'scheduledEventId',
    'LambdaFunctionFailed': 'scheduledEventId',
    'LambdaFunctionTimedOut': 'scheduledEventId',
    'StartLambdaFunctionFailed': 'scheduledEventId',
    'ChildWorkflowExecutionCompleted': 'initiatedEventId',
    'ChildWorkflowExecutionFailed': 'initiatedEventId',
    'ChildWorkflowExecutionTimedOut': 'initiatedEventId',
    'ChildWorkflowExecutionCanceled': 'initiatedEventId',
    'ChildWorkflowExecutionTerminated': 'initiatedEventId',
    'StartChildWorkflowExecutionFailed': 'initiatedEventId',
    'ExternalWorkflowExecutionSignaled': 'initiatedEventId',
    'SignalExternalWorkflowExecutionFailed': 'initiatedEventId',
    'ExternalWorkflowExecutionCancelRequested': 'initiatedEventId',
    'RequestCancelExternalWorkflowExecutionFailed': 'initiatedEventId',
    'TimerFired': 'startedEventId',
    'TimerCanceled': 'startedEventId',
}
"""What settles an item, and the attribute that names the event which opened it."""

CLOSES = frozenset(
    f'WorkflowExecution{how}' for how in ('Completed', 'Failed', 'Canceled', 'ContinuedAsNew', 'Terminated', 'TimedOut')
)


def opened_by(event_type: str, said: Mapping[str, Any], event_id: int = 0) -> Item:
    """The item that an event, or a decision with the attributes of that event, opens."""
    kind, key, named = OPENS[event_type]
    name: Any = said.get(named) if named else None
    if isinstance(name, Mapping):
        return Item(kind, event_id, str(said.get(key)), name['name'], name['version'], said)
    return Item(kind, event_id, str(said.get(key)), name, None, said)


class OpenItems:
    """The open items of one history, and its decision task.

    Attributes:
        items: By the id of the event that opened each, oldest first.
        waiting: The id of the DecisionTaskScheduled that nobody has taken, or 0.
        started: The ids of the DecisionTaskScheduled and the DecisionTaskStarted that are being decided, or ``None``.
        closed: The event that closed the execution.
    """

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.waiting = 0
        self.started: tuple[int, int] | None = None
        self.closed: Event | None = None

    def copy(self) -> OpenItems:
        other = OpenItems()
        other.items = dict(self.items)
        other.waiting, other.started, other.closed = self.waiting, self.started, self.closed
        return other

    def open(self, kind: str) -> list[Item]:
        """The open items of a kind, oldest first."""
        return [item for item in self.items.values() if item.kind == kind]

    def keyed(self, kind: str, key: str) -> Item | None:
        """The open item of a kind that SWF knows by ``key``."""
        return next((item for item in self.items.values() if item.kind == kind and item.key == key), None)

    def apply(self, event: Event) -> None:
        """One more event was recorded."""
        event_type = event['eventType']
        said = attributes_of(event)
        if event_type in OPENS:
            self.items[event['eventId']] = opened_by(event_type, said, event['eventId'])
        elif event_type in SETTLES:
            self.items.pop(said.get(SETTLES[event_type], 0), None)
        elif event_type in STARTS:
            self._start(said[STARTS[event_type]], event['eventId'], said)
        elif event_type in CLOSES:
            self.closed = event
        elif event_type in OTHERS:
            OTHERS[event_type](self, event['eventId'], said)

    def _start(self, ref: int, event_id: int, said: Mapping[str, Any]) -> None:
        if ref in self.items:
            run_id = said.get('workflowExecution', {}).get('runId', '')
            self.items[ref] = evolve(self.items[ref], started_id=event_id, run_id=run_id)


def cancel_asked(ledger: OpenItems, event_id: int, said: Mapping[str, Any]) -> None:
    item = ledger.keyed('activity', said['activityId'])
    if item is not None:
        ledger.items[item.id] = evolve(item, cancel_id=event_id)


def decision_scheduled(ledger: OpenItems, event_id: int, said: Mapping[str, Any]) -> None:
    ledger.waiting = event_id


def decision_started(ledger: OpenItems, event_id: int, said: Mapping[str, Any]) -> None:
    ledger.started = (said['scheduledEventId'], event_id)
    if ledger.waiting == said['scheduledEventId']:
        ledger.waiting = 0


def decision_ended(ledger: OpenItems, event_id: int, said: Mapping[str, Any]) -> None:
    ledger.started = None


OTHERS: dict[str, Callable[[OpenItems, int, Mapping[str, Any]], None]] = {
    'ActivityTaskCancelRequested': cancel_asked,
    'DecisionTaskScheduled': decision_scheduled,
    'DecisionTaskStarted': decision_started,
    'DecisionTaskCompleted': decision_ended,
    'DecisionTaskTimedOut': decision_ended,
}
"""What changes neither the items' number nor their end."""
