"""Decision tasks of a test: the engine for real workflows, a stub's outcome for those that a test stands in for.

Unless a test says otherwise each decision starts from event 1, in a new generator: code that does not follow its own
history is found at once. The events up to the last decision are remembered, so only the new ones are read.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from attrs import define, field

from genflow.core.authoring.proxies import WorkflowProxy
from genflow.core.authoring.workflow import Workflow
from genflow.core.engine.execution import Execution
from genflow.core.engine.pending_close import Fail
from genflow.core.model.decisions import CancelWorkflow, CompleteWorkflow, Decision, Decisions, FailWorkflow
from genflow.core.model.events import Event
from genflow.core.model.registry import WorkflowSpec
from genflow.core.text import counted
from genflow.swf.tasks.polled_tasks import DecisionTask
from genflow.swf.tasks.poller import whole_history
from genflow.swf.tasks.respond import Canceled, Completed, Failed, respond_decision
from genflow.swf.wire.decisions import plan
from genflow.swf.wire.events import decided, translate
from genflow.swf.worker.origins import OriginFinder
from genflow.swf.worker.sticky_cache import continuation
from genflow.testing.tester.doubles import Double
from genflow.testing.tester.environment import DOMAIN, Environment
from genflow.testing.tester.stub_runner import play
from genflow.testing.tester.stubs import TesterError
from genflow.testing.tester.timeouts import check_strikes

__all__ = ['Decider']


@define
class _Record:
    """What has been read of a run.

    Attributes:
        answered: The ``DecisionTaskStarted`` of the last decision.
        events: All up to that one, as the engine has them.
    """

    answered: int
    events: list[Event]


@define(eq=False)
class Decider:
    """Answers decision tasks.

    Attributes:
        seed: Of the streams of chance; each execution has streams of its own.
        sticky: Keep each generator between its decisions.
        closing: Whether the last decision asked for a close.
        error: What left ``run`` there, if it failed.
        describe_blocked: Where it stands, for people.
    """

    environment: Environment
    seed: str
    sticky: bool
    closing: bool = False
    error: BaseException | None = None
    describe_blocked: str = ''
    _kept: dict[str, Execution] = field(factory=dict)
    _records: dict[str, _Record] = field(factory=dict)
    _silent: set[str] = field(factory=set)
    _seeds: dict[str, str] = field(factory=dict)

    def decide(self, task: DecisionTask) -> str:
        """Decides and answers one task.

        Raises:
            GenflowError: The workflow cannot be decided: it is not deterministic, waits for nothing, and so on.
        """
        spec = self.environment.doubles.workflow(task.name, task.version)
        decision = self._stand_in(task) if spec is None else self._advance(task, spec)
        decisions = plan(decision)
        left = self.environment.give_stubs(task.run_id, decisions)
        self.environment.note_lists(decisions)
        verdict = respond_decision(self.environment.service, task, decisions, context=decision.context)
        if verdict != 'accepted':
            raise TesterError(f'the decision on {task} was {verdict}: {decisions}')
        for activity_id, stub in left:
            check_strikes(self.environment.waiting(task.workflow_id, task.run_id, activity_id), stub)
        return f'decided {task.name} {task.version} ({counted(len(decisions), "decision")})'

    def close(self) -> None:
        """Lets go of every generator."""
        while self._kept:
            self._kept.popitem()[1].close()

    # real workflows

    def _advance(self, task: DecisionTask, spec: WorkflowSpec) -> Decisions:
        kept = self._kept.pop(task.run_id, None)
        events = None if kept is None else continuation(task, kept.answered)
        if kept is not None and events is not None:
            found = translate(chain.from_iterable(events.pages()))
        else:
            found = self._whole(task)
            kept = self._execution(spec, task.workflow_id, task.run_id)
        self.closing = True
        try:
            decision = kept.advance(found) or Decisions()
            self.closing = kept.close_decision is not None
            pending_close = kept.pending_close
            self.error = pending_close.error if self.closing and isinstance(pending_close, Fail) else None
            self.describe_blocked = kept.describe_blocked()
        finally:
            if self.sticky and not self.closing:
                self._kept[task.run_id] = kept
            else:
                kept.discard()
            if self.sticky or self.closing:
                self._records.pop(task.run_id, None)
        return decision

    def _whole(self, task: DecisionTask) -> list[Event]:
        """The whole history, of which only the events since the last decision are read anew."""
        known = self._records.get(task.run_id)
        events = None if known is None else continuation(task, known.answered)
        if known is None or events is None:
            events = whole_history(self.environment.service, DOMAIN, task).events
            known = self._records[task.run_id] = _Record(0, [])
        found = translate(chain.from_iterable(events.pages()))
        known.events += found[1:] if known.events else found  # which begin with the last known one
        known.answered = task.started_id
        return known.events

    def query(self, spec: WorkflowSpec, workflow_id: str, run_id: str, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """The answer of a query, from the history up to the last decision.

        Raises:
            NotDecidedYet: There has been none.
            AttributeError: The class has no such query.
        """
        asked = self._execution(spec, workflow_id, run_id)
        try:
            asked.advance(decided(translate(self.environment.events(workflow_id, run_id))))
            return asked.query(name, *args, **kwargs)
        finally:
            asked.close()

    def _execution(self, spec: WorkflowSpec, workflow_id: str, run_id: str) -> Execution:
        seed = self._seed_of(run_id)
        return Execution(
            spec,
            workflow_id=workflow_id,
            run_id=run_id,
            domain=DOMAIN,
            seed=seed,
            input_mismatch='error',
            origins=OriginFinder(self.environment.service, DOMAIN),
        )

    def _seed_of(self, run_id: str) -> str:
        """The seed of an execution: a stream of its own for each, the same in each run of the test."""
        if run_id not in self._seeds:
            number = len(self._seeds) + 1
            self._seeds[run_id] = self.seed if number == 1 else f'{self.seed}/{number}'
        return self._seeds[run_id]

    # stubs

    def _stand_in(self, task: DecisionTask) -> Decisions:
        """A child that a stub stands in for closes with its first decision, or, if that never answers, on request."""
        if task.run_id not in self._silent:
            part = self.environment.doubles.parts.get(('child', task.name, task.version))
            if part is None or not part.is_stubbed:
                lacks = Double(WorkflowProxy(task.name, task.version), Workflow) if part is None else part
                raise TesterError(f'the child {task.name} {task.version} was started, {lacks.missing()}')
            decision = self._played(task, part)
            if decision is not None:
                return Decisions((decision,))
            self._silent.add(task.run_id)
        asked = any(event['eventType'] == 'WorkflowExecutionCancelRequested' for event in task.events)
        return Decisions((CancelWorkflow(),) if asked else ())

    def _played(self, task: DecisionTask, part: Double) -> Decision | None:
        attributes = task.events[0]['workflowExecutionStartedEventAttributes']
        outcome, _ = play(part, attributes.get('input'), None)
        make = _DECISIONS.get(type(outcome))
        return None if make is None else make(outcome)


_DECISIONS: dict[type, Callable[[Any], Decision]] = {
    Completed: lambda outcome: CompleteWorkflow(outcome.result),
    Failed: lambda outcome: FailWorkflow(outcome.reason, outcome.details),
    Canceled: lambda outcome: CancelWorkflow(outcome.details),
}
"""How a child closes whose stub had this outcome; a stub that does not answer leaves it open."""
