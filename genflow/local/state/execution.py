"""An open execution: who it is, how it was started, and what is open in it."""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen

from genflow.local.clock import FIRST_MOMENT
from genflow.local.state.items import Activity, Child, DecisionTask, Item, LambdaFunction, Progress, Timer

__all__ = ['LONGEST_OBJECT', 'TAIL_CHARACTERS', 'Execution', 'Parent', 'Tail']

TAIL_CHARACTERS = 400_000
"""Events of one execution kept at hand, in characters; older ones are read from the file."""

MOST_OBJECTS = 64
"""Events of one execution that are kept as objects."""

LONGEST_OBJECT = 4_096
"""Characters of an event that is kept as an object."""


@frozen
class Parent:
    """The execution that started this one as its child, and with which event."""

    key: int
    workflow_id: str
    run_id: str
    initiated: int


@define(eq=False)
class Tail:
    """The newest events of a history as JSON texts, without a gap.

    Attributes:
        first: The id of the first text.
        objects: The last events once more, as boto3 gives them and nobody else's, for a decider in this process;
            ``None`` for one that has to be read from its text.
        keeps: There is such a decider, and these are few.
    """

    first: int
    texts: list[str] = field(factory=list)
    characters: int = 0
    objects: list[dict[str, Any] | None] = field(factory=list)
    keeps: bool = False

    def append(self, text: str, event: dict[str, Any] | None = None) -> None:
        """Add the next event, also as an object where there is one, and let go of old ones when there are too many."""
        self.texts.append(text)
        self.characters += len(text)
        if self.characters > TAIL_CHARACTERS:
            self._shorten()
        if self.keeps:
            self.objects.append(event)
            if len(self.objects) > MOST_OBJECTS:
                self.let_go()

    def _shorten(self) -> None:
        """Let go of the older half, but not of the last event."""
        half = len(self.texts) // 2
        self.first += half
        del self.texts[:half]
        self.characters = sum(map(len, self.texts))

    def let_go(self) -> None:
        """Keep no objects any more."""
        self.objects.clear()
        self.keeps = False

    def give(self, number: int) -> list[dict[str, Any] | None] | None:
        """The last events as objects, which are the caller's from now on; ``None`` where they are not all at hand.

        The last one stays here as well, for the next page begins with it.
        """
        found = self.objects
        last = found[-1] if found else None
        self.objects = [last and copied(last)]
        self.keeps = True
        return found if len(found) == number else None

    def since(self, first: int, last: int) -> list[str]:
        """The texts at hand of the events ``first`` to ``last``."""
        return self.texts[max(0, first - self.first) : max(0, last + 1 - self.first)]


def copied(event: dict[str, Any]) -> dict[str, Any]:
    """The same event for somebody else; its attributes come last and hold texts and numbers alone."""
    member = next(reversed(event))
    return {**event, member: {**event[member]}}


@define(eq=False, kw_only=True)
class Execution:
    """One open run.

    Attributes:
        key: Its number in the file.
        execution_timeout, task_timeout: in SWF's words, as resolved.
        priority: In SWF's words, None where nobody gave one.
        started_at: When it was started.
        last_event, last_time: id and moment of its newest event.
        tail: The newest events.
        decision: The decision task that waits or is started.
        queued: The one behind it.
        activities, children, lambdas: open ones by the id of their event; ``timers`` by timer id.
        activity_ids: Open activity id to the id of its ActivityTaskScheduled.
        closed: It has its last event.
    """

    key: int
    domain: str
    workflow_id: str
    run_id: str
    type_name: str
    type_version: str
    task_list: str
    child_policy: str
    execution_timeout: str
    task_timeout: str
    priority: str | None
    lambda_role: str | None
    tags: tuple[str | None, ...]
    parent: Parent | None
    started_at: int
    progress: Progress
    last_event: int = 0
    last_time: int = FIRST_MOMENT
    tail: Tail = field(factory=lambda: Tail(1))
    decision: DecisionTask | None = None
    queued: DecisionTask | None = None
    activities: dict[int, Activity] = field(factory=dict)
    activity_ids: dict[str, int] = field(factory=dict)
    timers: dict[str, Timer] = field(factory=dict)
    children: dict[int, Child] = field(factory=dict)
    lambdas: dict[int, LambdaFunction] = field(factory=dict)
    closed: bool = False
    batch: int = 0

    @property
    def reference(self) -> dict[str, str]:
        """SWF's WorkflowExecution."""
        return {'workflowId': self.workflow_id, 'runId': self.run_id}

    @property
    def type(self) -> dict[str, str]:
        """SWF's WorkflowType."""
        return {'name': self.type_name, 'version': self.type_version}

    @property
    def configuration(self) -> dict[str, Any]:
        """SWF's WorkflowExecutionConfiguration: the values that were resolved at the start."""
        given = {'taskPriority': self.priority, 'lambdaRole': self.lambda_role}
        return {
            'taskStartToCloseTimeout': self.task_timeout,
            'executionStartToCloseTimeout': self.execution_timeout,
            'taskList': {'name': self.task_list},
            'childPolicy': self.child_policy,
            **{name: value for name, value in given.items() if value is not None},
        }

    @property
    def open_counts(self) -> dict[str, int]:
        """SWF's WorkflowExecutionOpenCounts; recordings count a decision task only while it waits for a poller."""
        return {
            'openActivityTasks': len(self.activities),
            'openDecisionTasks': int(self.decision is not None and not self.decision.started),
            'openTimers': len(self.timers),
            'openChildWorkflowExecutions': len(self.children),
            'openLambdaFunctions': len(self.lambdas),
        }

    def items(self) -> list[Item]:
        """Everything open in it, what belongs to the whole first."""
        tasks = [task for task in (self.decision, self.queued) if task is not None]
        several = (self.activities, self.timers, self.children, self.lambdas)
        return [self.progress, *tasks, *(item for items in several for item in items.values())]

    def adopt(self, item: Item) -> None:
        """Put an item that was loaded where it belongs."""
        if isinstance(item, Activity):
            self.activities[item.id] = item
            self.activity_ids[item.name] = item.id
        elif isinstance(item, Timer):
            self.timers[item.name] = item
        elif isinstance(item, Child):
            self.children[item.id] = item
        elif isinstance(item, LambdaFunction):
            self.lambdas[item.id] = item
        elif isinstance(item, DecisionTask):
            self._adopt_decision(item)

    def _adopt_decision(self, task: DecisionTask) -> None:
        """A task that nobody can poll yet is the one behind the started one."""
        if task.pollable:
            self.decision = task
        else:
            self.queued = task
