"""Histories that a test writes by hand, one event after the other.

``History(Order, 1).decide().completed(Order.charge.task(1), 'ok').signaled('approve', True)`` is a value: each call
returns a new history with more events, in the form in which boto3 returns them, with the right ids and references.
``decide()`` runs the engine over the history so far, and appends the events that SWF records for its decisions. Events
that SWF could not record raise an :class:`~genflow.testing.ImpossibleStory`.

The clock stands at 2000-01-01 UTC. Only :meth:`History.after`, timers that fire and tasks that time out move it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from genflow.core.authoring.workflow import Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.swf.wire.decisions import plan
from genflow.swf.wire.events import utc
from genflow.testing.histories.decide import answer, spec_for, specs_of, type_of
from genflow.testing.histories.exports import Source, load, written
from genflow.testing.histories.open_items import ImpossibleStory, Item, OpenItems, attributes_of
from genflow.testing.histories.recorded import record
from genflow.testing.histories.rejections import Refusing
from genflow.testing.histories.start_events import begun, overridden, started_attributes
from genflow.testing.histories.steps import HistorySteps
from genflow.testing.histories.writer import Event

__all__ = ['History', 'MadeUp']

START = datetime(2000, 1, 1, tzinfo=timezone.utc)
WORKFLOW_ID, RUN_ID = 'workflow-1', 'run-1'


class MadeUp(str):
    """A placeholder for an id that a recorded history does not contain."""

    __slots__ = ()


class History(HistorySteps):
    """The events of one execution, oldest first.

    Args:
        workflow: The workflow class. A class that is not decorated counts as version 1 of the type of its name.
        *args: Arguments of its ``run``.
        **kwargs: Keyword arguments of its ``run``.
    """

    __slots__ = ()

    def __init__(self, workflow: type[Workflow] | WorkflowSpec, /, *args: Any, **kwargs: Any) -> None:
        spec = specs_of(workflow)[0]
        text = spec.cls()._serialize_arguments(*args, **kwargs)
        draft = begun(started_attributes(spec, text), START)
        self.__attrs_init__(workflow, tuple(draft.written), draft.ledger, WORKFLOW_ID, RUN_ID, START)

    @classmethod
    def from_json(
        cls,
        source: Source,
        workflow: type[Workflow] | WorkflowSpec | None = None,
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
    ) -> History:
        """Reads a history as ``aws swf get-workflow-execution-history`` or ``genflow history --json`` print it.

        Args:
            source: A path, JSON text, an answer of a SWF client, or a list of answers or events.
            workflow: The workflow class; needed to add events to the history.
            workflow_id: Of the execution, if the history does not contain it, as that of the AWS command line.
            run_id: Likewise.

        Raises:
            HistoryError: The history cannot be read, is not complete, or is of another workflow type.
            OSError: The file cannot be read.
        """
        loaded = load(source)
        if workflow is not None:
            spec_for(workflow, *type_of(loaded.events))
        events = tuple({**event, 'eventTimestamp': utc(event.get('eventTimestamp'))} for event in loaded.events)
        ledger = OpenItems()
        for event in events:
            ledger.apply(event)
        made = cls.__new__(cls)
        ids = (workflow_id or loaded.workflow_id or MadeUp(WORKFLOW_ID), run_id or loaded.run_id or MadeUp(RUN_ID))
        made.__attrs_init__(workflow, events, ledger, *ids, events[-1]['eventTimestamp'])
        return made

    def to_json(self, indent: int | None = None) -> str:
        """The history as ``aws swf get-workflow-execution-history`` prints it; timestamps are epoch seconds."""
        return written(self.recorded, self.workflow_id, self.run_id, indent)

    # its attributes

    @property
    def events(self) -> list[dict[str, Any]]:
        """SWF's event dicts, oldest first; the list and the dicts are the caller's own."""
        return [_copied(event) for event in self.recorded]

    @property
    def closed(self) -> str | None:
        """The type of the event that closed the execution, such as ``'WorkflowExecutionCompleted'``."""
        closed = self.ledger.closed
        return None if closed is None else str(closed['eventType'])

    @property
    def open_tasks(self) -> list[Item]:
        """What SWF has not closed: activities, children, timers and so on, oldest first."""
        return list(self.ledger)

    def seen(self) -> Sequence[Event]:
        """The events that the decider sees: up to the DecisionTaskStarted of the current decision, or all."""
        started = self.ledger.started
        return self.recorded if started is None else self.recorded[: started[1]]

    def __repr__(self) -> str:
        name, version = type_of(self.recorded)
        return f'<History of {name} {version}, {len(self.recorded)} events>'

    def __str__(self) -> str:
        """The events, one on each line."""
        return '\n'.join(_line(event) for event in self.recorded)

    # adding events

    def given(
        self,
        *,
        input: str | None = None,
        workflow_id: str | None = None,
        run_id: str | None = None,
        parent: tuple[str, str] | None = None,
        started_at: datetime | None = None,
        **options: Any,
    ) -> History:
        """Changes what the execution was started with; allowed only before anything has happened.

        Args:
            input: The serialized arguments.
            workflow_id: Of the execution.
            run_id: Of the run.
            parent: Workflow id and run id of the execution whose child it is.
            started_at: When it was started, with a time zone.
            **options: ``task_list``, ``priority``, ``workflow_duration``, ``decision_duration``, ``child_policy``,
                ``tags``, ``lambda_role``.

        Raises:
            ImpossibleStory: Something happened already.
            DefinitionError: An option is unknown or wrong.
        """
        if len(self.recorded) > 2:  # noqa: PLR2004 - event 1 and the first DecisionTaskScheduled
            raise ImpossibleStory(f'how an execution was started cannot change after event {len(self.recorded)}')
        now = self.now if started_at is None else utc(started_at)
        draft = begun(overridden(attributes_of(self.recorded[0]), input, parent, options), now)
        made = type(self).__new__(type(self))
        ids = (workflow_id or self.workflow_id, run_id or self.run_id)
        made.__attrs_init__(self.workflow, tuple(draft.written), draft.ledger, *ids, now)
        return made

    def decision_started(self) -> History:
        """Starts the decision task: later events are input of the next decision.

        Raises:
            ImpossibleStory: No decision task is scheduled, or one is started already.
        """
        if self.ledger.started is not None:
            raise ImpossibleStory(f'a decision task was started in event {self.ledger.started[1]} already')
        draft = self._draft('decided on')
        if not self.ledger.waiting:
            raise ImpossibleStory(
                f'there is nothing to decide: no decision task is scheduled after event {len(self.recorded)}, '
                f'{self.recorded[-1]["eventType"]}'
            )
        draft.add('DecisionTaskStarted', scheduledEventId=self.ledger.waiting)
        return self._with(draft)

    def deciding(self) -> History:
        """Starts the decision task, unless it is started already.

        Raises:
            ImpossibleStory: No decision task is scheduled.
        """
        return self if self.ledger.started is not None else self.decision_started()

    def decide(self, refuse: Mapping[Any, str] | None = None) -> History:
        """Runs the workflow, and appends the events that SWF records for its decisions.

        Args:
            refuse: Decisions that SWF refuses, each with the cause that it records. A key is a task (named as for the
                other methods) or a decision type, such as ``'CompleteWorkflowExecution'``.

        Raises:
            ImpossibleStory: No decision task is scheduled, or the workflow does not make a decision of ``refuse``.
            HistoryError: The events do not fit together, or a payload cannot be read.
            NondeterminismError: The code does not follow the history.
            WorkflowStalled: The execution waits for nothing.
        """
        history = self.deciding()
        if history.workflow is None or history.ledger.started is None:
            raise ImpossibleStory(
                'the history has no workflow class to make decisions: give it, as in '
                'History.from_json(…, workflow=Order)'
            )
        decided = answer(history.workflow, history)
        scheduled_id, started_id = history.ledger.started
        draft = history._draft('decided on')  # noqa: SLF001 - its own kind
        completed_id = draft.add(
            'DecisionTaskCompleted',
            scheduledEventId=scheduled_id,
            startedEventId=started_id,
            executionContext=decided.context,
        )
        refusing = Refusing(history._class(), refuse or {})  # noqa: SLF001
        record(draft, plan(decided), completed_id, refusing)
        refusing.check()
        return history._with(draft)  # noqa: SLF001

    def next_run(self) -> History:
        """The first events of the run that continues this one.

        Raises:
            ImpossibleStory: It did not continue as new.
        """
        closed = self.ledger.closed
        if closed is None or closed['eventType'] != 'WorkflowExecutionContinuedAsNew':
            raise ImpossibleStory(f'there is no next run: the execution is {self.closed or "open"}')
        attributes = dict(attributes_of(closed))
        run_id = attributes.pop('newExecutionRunId')
        del attributes['decisionTaskCompletedEventId']
        attributes |= {'continuedExecutionRunId': self.run_id, 'parentInitiatedEventId': 0}
        draft = begun(attributes, self.now)
        made = type(self).__new__(type(self))
        made.__attrs_init__(self.workflow, tuple(draft.written), draft.ledger, self.workflow_id, run_id, self.now)
        return made


def _copied(value: Any) -> Any:
    """Dicts and lists anew; everything in them is a value."""
    if isinstance(value, Mapping):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _line(event: Event) -> str:
    words = [f'{name}={value!r}' for name, value in attributes_of(event).items()]
    return f'{event["eventId"]:>4} {event["eventTimestamp"]:%Y-%m-%d %H:%M:%S} {event["eventType"]} {", ".join(words)}'
