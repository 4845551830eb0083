"""The steps of a history: one method for each thing that may happen to an execution from outside its decider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from genflow.core.authoring.workflow import Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.core.payloads.failures import encode_failure
from genflow.core.payloads.hooks import encode_value
from genflow.core.tasks.signals import Signal, signal_name
from genflow.testing.histories import event_rules
from genflow.testing.histories.matchers import find, proxy_of
from genflow.testing.histories.open_items import ImpossibleStory, Item, OpenItems
from genflow.testing.histories.writer import Event, EventWriter

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ['HistorySteps']


@frozen(init=False)
class HistorySteps:
    """A history and the steps that can come next. Each method returns a new history and does not change this one.

    A *task* is named by a description (``Order.charge.task(1)``), by the attribute of its proxy (``'charge'``), by
    the proxy (``Order.charge``) or by its id (``'1.1'``). If several match, the oldest is taken. Before an activity,
    child or Lambda function ends, it is started if it was not.

    Every method raises :class:`~genflow.testing.ImpossibleStory` where SWF could not have recorded it.

    Attributes:
        workflow: The workflow class.
        recorded: SWF's event dicts; do not change them. ``events`` returns copies.
        workflow_id: Of the execution; events do not contain it.
        run_id: Likewise.
        now: The time of what happens next.
    """

    workflow: type[Workflow] | WorkflowSpec | None = field(eq=False)
    recorded: Sequence[Event]
    ledger: OpenItems = field(eq=False)
    workflow_id: str = field(eq=False)
    run_id: str = field(eq=False)
    now: datetime = field(eq=False)

    # tasks

    def started(self, task: Any) -> Self:
        """Starts an activity, child or Lambda function."""
        draft, item = self._on(task, 'started')
        event_rules.start(draft, item)
        return self._with(draft)

    def completed(self, task: Any, result: Any = None, *, raw: str | None = None) -> Self:
        """Completes an activity, child or Lambda function.

        Args:
            task: The task.
            result: The value, serialized by the proxy.
            raw: The serialized result instead.
        """
        draft, item = self._on(task, 'completed')
        return self._settled(draft, item, 'completed', result=self._text(item, result) if raw is None else raw)

    def failed(self, task: Any, reason: str | BaseException = 'failed', details: str | None = None) -> Self:
        """Fails an activity, child or Lambda function.

        Args:
            task: The task.
            reason: A text of at most 256 characters, or the exception that the other side raised.
            details: A text.
        """
        draft, item = self._on(task, 'failed')
        if isinstance(reason, BaseException):
            reason, details = encode_failure(reason)
        return self._settled(draft, item, 'failed', reason=reason, details=details)

    def timed_out(self, task: Any = None, timeout_type: str = 'START_TO_CLOSE', details: str | None = None) -> Self:
        """Times out an activity, child or Lambda function; without a task, the execution itself.

        The clock moves to the deadline, if that is later.

        Args:
            task: The task.
            timeout_type: ``START_TO_CLOSE``, of activities also ``SCHEDULE_TO_START``, ``SCHEDULE_TO_CLOSE`` or
                ``HEARTBEAT``.
            details: Of an activity: those of its last heartbeat.
        """
        if task is None:
            return self._execution_timed_out()
        draft, item = self._on(task, 'timed out')
        event_type = event_rules.event_for(item, 'timed out')
        limit, from_start = event_rules.deadline(item, timeout_type)
        if timeout_type == 'SCHEDULE_TO_START' and item.started_id:
            raise ImpossibleStory(
                f'{item} was started in event {item.started_id}, so it cannot time out before its start'
            )
        if from_start and not item.started_id:
            item = event_rules.start(draft, item)
        begun = self._time_of(draft, item.started_id if from_start else item.id)
        draft.now = max(draft.now, begun + limit)
        return self._written(draft, item, event_type, timeoutType=timeout_type, details=details)

    def canceled(self, task: Any, details: str | None = None) -> Self:
        """An activity or child closed as canceled; an activity that was asked to and not started, by SWF itself."""
        draft, item = self._on(task, 'canceled')
        event_type = event_rules.event_for(item, 'canceled')
        if not item.started_id and not item.cancel_id:
            item = event_rules.start(draft, item)
        more = {'latestCancelRequestedEventId': item.cancel_id or None} if item.kind == 'activity' else {}
        return self._written(draft, item, event_type, details=details, **more)

    def terminated(self, task: Any = None, reason: str | None = None, details: str | None = None) -> Self:
        """A child was terminated; without one, the execution itself was."""
        if task is not None:
            draft, item = self._on(task, 'terminated')
            return self._settled(draft, item, 'terminated')
        draft = self._draft('terminated')
        policy = draft.begun['childPolicy']
        draft.add(
            'WorkflowExecutionTerminated',
            reason=reason,
            details=details,
            childPolicy=policy,
            cause='OPERATOR_INITIATED',
        )
        return self._with(draft)

    def fired(self, timer: Any) -> Self:
        """Fires a timer. The clock moves to its time, if that is later."""
        draft, item = self._on(timer, 'fired')
        event_type = event_rules.event_for(item, 'fired')
        draft.now = max(draft.now, self._time_of(draft, item.id) + event_rules.deadline(item, '')[0])
        return self._written(draft, item, event_type)

    def delivered(self, task: Any) -> Self:
        """Delivers a signal or a cancel request to the other execution."""
        draft, item = self._on(task, 'delivered')
        return self._settled(draft, item, 'delivered')

    def refused(self, task: Any, cause: str | None = None, message: str | None = None) -> Self:
        """SWF could not do what it had accepted: start the child or the function, deliver the signal or request.

        Args:
            task: Which.
            cause: SWF's cause. Default: the usual one.
            message: Of a Lambda function.
        """
        draft, item = self._on(task, 'refused')
        event_type = event_rules.event_for(item, 'refused')
        return self._written(draft, item, event_type, cause=cause or event_rules.CAUSES[item.kind], message=message)

    # the execution

    def signaled(self, signal: Any, value: Any = None, *, raw: str | None = None) -> Self:
        """Signals the execution.

        Args:
            signal: ``Order.approve``, the name of its attribute, or any name.
            value: Is sent as JSON.
            raw: The input as text instead.
        """
        draft = self._draft('signaled')
        own = getattr(self._class(), signal, None) if isinstance(signal, str) else None
        name = signal_name(own if isinstance(own, Signal) else signal)
        draft.add(
            'WorkflowExecutionSignaled',
            signalName=name,
            input=encode_value(value) if raw is None else raw,
            externalInitiatedEventId=0,
        )
        draft.wake()
        return self._with(draft)

    def cancel_requested(self, cause: str | None = None) -> Self:
        """Requests the cancellation of the execution; ``cause`` may be ``CHILD_POLICY_APPLIED``."""
        draft = self._draft('cancelled')
        draft.add('WorkflowExecutionCancelRequested', externalInitiatedEventId=0, cause=cause)
        draft.wake()
        return self._with(draft)

    def decision_timed_out(self) -> Self:
        """Times out the decision task; SWF schedules another one."""
        draft = self._draft('decided on')
        if draft.ledger.started is None:
            if not draft.ledger.waiting:
                raise ImpossibleStory('no decision task is scheduled, so none can time out')
            draft.add('DecisionTaskStarted', scheduledEventId=draft.ledger.waiting)
        scheduled_id, started_id = draft.ledger.started or (0, 0)
        begun = draft.begun.get('taskStartToCloseTimeout', 'NONE')
        if begun == 'NONE':
            raise ImpossibleStory('the decision time-out of the execution is NONE, so no decision task can time out')
        draft.now = max(draft.now, self._time_of(draft, started_id) + timedelta(seconds=int(begun)))
        draft.add(
            'DecisionTaskTimedOut',
            scheduledEventId=scheduled_id,
            startedEventId=started_id,
            timeoutType='START_TO_CLOSE',
        )
        draft.wake()
        return self._with(draft)

    def after(self, **time: float) -> Self:
        """Moves the clock: ``after(days=3)``, with the arguments of ``timedelta``. Records nothing.

        Raises:
            ImpossibleStory: The time would be earlier.
        """
        passed = timedelta(**time)
        if passed < timedelta(0):
            raise ImpossibleStory(f'time cannot pass by {passed}')
        return self._like(self.recorded, self.ledger, self.now + passed)

    # how a step is applied

    def _on(self, task: Any, verb: str) -> tuple[EventWriter, Item]:
        draft = self._draft(verb)
        return draft, find(draft.ledger, self._class(), task, verb)

    def _draft(self, verb: str) -> EventWriter:
        closed = self.ledger.closed
        if closed is not None:
            raise ImpossibleStory(
                f'nothing can be {verb} after event {closed["eventId"]}, {closed["eventType"]}: the execution is closed'
            )
        return EventWriter(self.recorded, self.ledger, self.now)

    def _settled(self, draft: EventWriter, item: Item, verb: str, **attributes: Any) -> Self:
        event_type = event_rules.event_for(item, verb)
        if not item.started_id and item.kind in ('activity', 'child', 'lambda'):
            item = event_rules.start(draft, item)
        return self._written(draft, item, event_type, **attributes)

    def _written(self, draft: EventWriter, item: Item, event_type: str, **attributes: Any) -> Self:
        draft.add(event_type, **event_rules.references(item, event_type), **attributes)
        draft.wake()
        return self._with(draft)

    def _execution_timed_out(self) -> Self:
        draft = self._draft('timed out')
        begun = draft.begun
        limit = timedelta(seconds=int(begun['executionStartToCloseTimeout']))
        draft.now = max(draft.now, self._time_of(draft, 1) + limit)
        draft.add('WorkflowExecutionTimedOut', timeoutType='START_TO_CLOSE', childPolicy=begun['childPolicy'])
        return self._with(draft)

    def _time_of(self, draft: EventWriter, event_id: int) -> datetime:
        events = [*self.recorded[event_id - 1 : event_id], *draft.written]
        event = next(event for event in events if event['eventId'] == event_id)
        time: datetime = event['eventTimestamp']
        return time

    def _text(self, item: Item, result: Any) -> str:
        proxy = proxy_of(self._class(), item)
        return encode_value(result) if proxy is None else proxy._serialize_result(result)

    def _class(self) -> Any:
        return self.workflow.cls if isinstance(self.workflow, WorkflowSpec) else self.workflow

    def _with(self, draft: EventWriter) -> Self:
        return self._like((*self.recorded, *draft.written), draft.ledger, draft.now)

    def _like(self, recorded: Sequence[Event], ledger: OpenItems, now: datetime) -> Self:
        made = object.__new__(type(self))
        made.__attrs_init__(self.workflow, recorded, ledger, self.workflow_id, self.run_id, now)
        return made
