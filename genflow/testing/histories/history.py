"""Histories made up by a test, which read as a story.

``History(Order, 1).decide().completed(Order.charge.task(1), 'ok').signaled('approve', True)`` is a value: each call
gives a new history with more events, in SWF's shape as boto3 gives it, with the right ids and references. ``decide()``
runs the engine over the story so far and appends what SWF records of its answer. What SWF could not have recorded is
refused with an :class:`~genflow.testing.ImpossibleStory`.

Time stands still, at 2000-01-01 UTC, but for :meth:`History.after`, timers that fire and tasks that time out.
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
from genflow.testing.histories.start_events import begun, started_attributes, told_differently
from genflow.testing.histories.steps import HistorySteps
from genflow.testing.histories.writer import Event

__all__ = ['History', 'MadeUp']

START = datetime(2000, 1, 1, tzinfo=timezone.utc)
WORKFLOW_ID, RUN_ID = 'workflow-1', 'run-1'


class MadeUp(str):
    """An id that stands in where a recorded history names none."""

    __slots__ = ()


class History(HistorySteps):
    """The events of one execution, oldest first.

    Args:
        workflow: The workflow class; one that is not decorated stands for version 1 of its own name.
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
        """A recorded history: what ``aws swf get-workflow-execution-history`` prints, or genflow's own export.

        Args:
            source: A path, JSON text, an answer of a SWF client, or a list of answers or events.
            workflow: The workflow class, to go on with the story.
            workflow_id: Of the execution, where the history does not say it; the AWS command line's does not.
            run_id: Likewise.

        Raises:
            HistoryError: It cannot be read, is not whole, or is of another workflow type.
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

    # what it says

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
        """The events that the decider sees: up to the DecisionTaskStarted that is being decided, or all."""
        started = self.ledger.started
        return self.recorded if started is None else self.recorded[: started[1]]

    def __repr__(self) -> str:
        name, version = type_of(self.recorded)
        return f'<History of {name} {version}, {len(self.recorded)} events>'

    def __str__(self) -> str:
        """The story, one event on each line."""
        return '\n'.join(_line(event) for event in self.recorded)

    # going on

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
        """The same beginning with something said differently; only before anything happened.

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
        draft = begun(told_differently(attributes_of(self.recorded[0]), input, parent, options), now)
        made = type(self).__new__(type(self))
        ids = (workflow_id or self.workflow_id, run_id or self.run_id)
        made.__attrs_init__(self.workflow, tuple(draft.written), draft.ledger, *ids, now)
        return made

    def decision_started(self) -> History:
        """A decider polled: what happens from now on is input of the decision after this one.

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
        """The history at which its decider looks: with the decision task started, if it is not.

        Raises:
            ImpossibleStory: No decision task is scheduled.
        """
        return self if self.ledger.started is not None else self.decision_started()

    def decide(self, refuse: Mapping[Any, str] | None = None) -> History:
        """The workflow decides: what SWF records of its answer is appended.

        Args:
            refuse: Tasks (named as elsewhere) whose decisions SWF refuses at once, or decision types such as
                ``'CompleteWorkflowExecution'``, each with the cause that it records.

        Raises:
            ImpossibleStory: No decision task is scheduled, or ``refuse`` names what is not decided.
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
        """The beginning of the run that this one continued as.

        Raises:
            ImpossibleStory: It did not continue as new.
        """
        closed = self.ledger.closed
        if closed is None or closed['eventType'] != 'WorkflowExecutionContinuedAsNew':
            raise ImpossibleStory(f'there is no next run: the execution is {self.closed or "open"}')
        said = dict(attributes_of(closed))
        run_id = said.pop('newExecutionRunId')
        del said['decisionTaskCompletedEventId']
        said |= {'continuedExecutionRunId': self.run_id, 'parentInitiatedEventId': 0}
        draft = begun(said, self.now)
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
