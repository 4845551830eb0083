"""Programs of tests/core played on the embedded service, decided by the engine as a worker has it decide.

What comes out is a `Run`: each decision task as it was handed out, what the engine said to it, and the history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from attrs import define, field, frozen

from genflow.core.engine.execution import Execution
from genflow.core.model.decisions import CompleteWorkflow, Decisions, StartChild
from genflow.core.model.registry import WorkflowSpec
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.tasks.poller import Poller, whole_history
from genflow.swf.tasks.respond import respond_decision
from genflow.swf.wire.decisions import encode, plan
from genflow.swf.wire.events import translate
from genflow.swf.worker.sticky_cache import continuation
from tests.core.programs import Interpreter

from .scheduled_service import ACTIVITIES, ScheduledService
from .scheduled_workers import DOMAIN

MAX_DECISIONS = 400
"""Far more than a program of this size can need."""

effects: list[int] = []
"""The decisions in which a side effect was called, by their DecisionTaskStarted."""


def effect(started_id: int) -> str:
    effects.append(started_id)
    return f'effect of {started_id}'


class Watched(Interpreter):
    """An interpreter whose side effects are of the decision that calls them, and are noted."""

    def do_value(self, name: str) -> Any:
        if name == 'effect':
            return self.side_effect(partial(effect, self.info.history_length))
        return (yield from super().do_value(name))


@frozen
class Asked:
    """A decision task that was handed out to the engine.

    Attributes:
        started_id: Its DecisionTaskStarted.
        said: All that the engine said, as it goes over the wire.
        room: How many decisions were sent with the answer, ``None`` for as many as fit.
        arrived: Whether the answer was in time.
    """

    started_id: int
    said: str
    room: int | None
    arrived: bool


@define
class Run:
    """One execution from its beginning to its end.

    Attributes:
        seed: Of the worker that decided.
        chance: A number of the schedule, for those who check the run.
    """

    spec: WorkflowSpec
    run_id: str
    seed: str
    chance: int
    asked: list[Asked] = field(factory=list)
    history: list[Mapping[str, Any]] = field(factory=list)
    workflow_id: str = 'main'

    def execution(self) -> Execution:
        """A new one, as the worker that decided has it."""
        return Execution(self.spec, workflow_id=self.workflow_id, run_id=self.run_id, domain=DOMAIN, seed=self.seed)


def advanced(execution: Execution, events: Any) -> Decisions:
    """The engine's answer to the decision task with which the events end."""
    effects.clear()
    decided = execution.advance(translate(events))
    assert decided is not None, f'event {events[-1]["eventId"]} wants a decision'
    assert set(effects) <= {events[-1]['eventId']}, 'a side effect was called again in a replay'
    return decided


def completes(decided: Decisions) -> bool:
    """Whether the execution that decided is not kept: SWF may refuse the completion because of a signal."""
    return bool(decided.all) and isinstance(decided.all[-1], CompleteWorkflow)


def wire(decided: Decisions) -> str:
    return json.dumps([plan(decided), decided.context])


def first_chunk(decided: Decisions, room: int | None) -> list[dict[str, Any]]:
    """What goes into one response of so much room."""
    return plan(decided) if room is None else [encode(decision) for decision in decided.first_chunk(room)]


def _following(history: list[Mapping[str, Any]]) -> str | None:
    """The run that continues this one."""
    closed = history[-1].get('workflowExecutionContinuedAsNewEventAttributes')
    return None if closed is None else closed['newExecutionRunId']


class Environment:
    """Plays a program, with what the numbers make of it."""

    def __init__(self, program: Any, numbers: bytes, workflow: type[Interpreter] = Watched) -> None:
        self._around = around = ScheduledService(numbers)
        self._pick = around.pick
        self._service = RetryingClient(connect(around.swf))
        self._kept: Execution | None = None
        role = {} if self._pick(8) == 7 else {'lambdaRole': 'role'}
        policy = ('TERMINATE', 'REQUEST_CANCEL', 'ABANDON')[self._pick(3)]
        text = json.dumps([[program], {}])
        run_id = around.start('main', 'Interpreter', input=text, childPolicy=policy, taskList={'name': 'main'}, **role)
        spec = WorkflowSpec(workflow, 'Interpreter', '1')
        self._run = Run(spec, run_id, f'seed {self._pick(9)}', self._pick(256))

    def play(self) -> Run:
        """To the end of the execution."""
        with self._around.swf:
            return self._play()

    def play_chain(self) -> list[Run]:
        """To the end of the last run that continues it."""
        with self._around.swf:
            runs = [self._play()]
            while (run_id := _following(runs[-1].history)) is not None:
                self._run = Run(self._run.spec, run_id, self._run.seed, self._run.chance)
                runs.append(self._play())
        return runs

    def _play(self) -> Run:
        for _ in range(MAX_DECISIONS):
            for _ in range(self._pick(3)):
                self._around.one(self._run.run_id)
            task = self._task()
            if task is None:
                break
            self._decide(task)
        else:
            raise AssertionError('the execution does not end')
        self._evict()
        self._run.history = self._around.history(self._run.run_id)
        return self._run

    def _task(self) -> DecisionTask | None:
        """The next decision task; things are made to happen until there is one, or the execution has ended."""
        while self._around.is_open(self._run.run_id):
            self._around.clock.advance(1)
            trimmed = self._kept is not None and self._pick(2) == 0
            task = Poller(self._service, DOMAIN, 'main').decision_task(trimmed=trimmed)
            if task is not None:
                return task
            self._around.one(self._run.run_id)
        return None

    def _decide(self, task: DecisionTask) -> None:
        way = self._pick(8)
        if way == 7:  # the worker dies before it has decided anything
            self._around.clock.advance(11)
            return
        decided = self._decided(task)
        if way == 6:  # or before it has answered
            self._around.clock.advance(11)
        for _ in range(1 + self._pick(2) if way == 5 else 0):
            self._around.one(self._run.run_id)
        room = 1 + self._pick(3) if self._pick(4) == 3 else None
        arrived = self._respond(task, decided, room)
        self._run.asked.append(Asked(task.started_id, wire(decided), room, arrived))
        if not arrived or self._pick(3) == 1 or completes(decided):
            self._evict()

    def _decided(self, task: DecisionTask) -> Decisions:
        events = None if self._kept is None else continuation(task, self._kept.answered)
        if self._kept is None or events is None:
            self._evict()
            self._kept = self._run.execution()
            events = whole_history(self._service, DOMAIN, task).events
        return advanced(self._kept, events)

    def _evict(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _respond(self, task: DecisionTask, decided: Decisions, room: int | None) -> bool:
        """Answers; before that, somebody may take a child's workflow id or withdraw a type for a moment."""
        for decision in decided.all:
            if isinstance(decision, StartChild) and self._pick(8) == 7:
                self._around.squat(decision.workflow_id)
        with self._around.without(ACTIVITIES[self._pick(4)] if self._pick(8) == 7 else None):
            verdict = respond_decision(self._service, task, first_chunk(decided, room), context=decided.context)
        assert verdict != 'refused', wire(decided)
        return verdict == 'accepted'
