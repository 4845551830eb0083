"""A workflow's story in the engine's own events: its answers are recorded as SWF does, and the test says what happens.

What SWF records is said once, by the `ServiceModel` on which the explorer stands too. Each decision is asked of a kept
execution, which sees only what is new, and of a fresh one, which sees everything; a story goes on only where both gave
the same. What SWF refuses whole (a close that is not last, a schedule beside a close) fails the test, and ids grow as
SWF's do. `decide` also insists that SWF would have sent a decision task at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from genflow import ActivityProxy, LambdaProxy, Signal, Workflow, WorkflowProxy
from genflow.core.engine.execution import Execution
from genflow.core.model import events
from genflow.core.model.decisions import Decisions
from genflow.core.model.registry import WorkflowSpec
from genflow.core.payloads.failures import RemoteFailure, decode_failure, encode_failure
from genflow.core.payloads.hooks import decode, encode
from genflow.testing.explorer.playing.items import Item
from genflow.testing.explorer.playing.service_model import ServiceModel

from .recording import check_batch, key_of, said

START = datetime(2020, 1, 1, tzinfo=timezone.utc)
WORKFLOW_ID, RUN_ID = 'desk-1', 'run-1'


class Desk(Workflow):
    """What most tests call; a test defines ``run``."""

    echo = ActivityProxy('Echo', 'v1', retry=0)
    other = ActivityProxy('Other', 'v2', retry=0)
    sturdy = ActivityProxy('Sturdy', 'v1')
    child = WorkflowProxy('Child', 'v1', retry=0)
    shrink = LambdaProxy('shrink')
    go = Signal()
    stop = Signal()


def made(run: Any, **members: Any) -> type[Workflow]:
    """A workflow class from its ``run``; a class stays what it is."""
    return run if isinstance(run, type) else type('Desk', (Desk,), {'run': run, **members})


class Story(ServiceModel):
    """One execution as SWF sees it, decided by a kept execution and by one that replays.

    Args:
        run: The workflow's ``run``, or a workflow class.
        args: What it is called with.
        given: Other members of event 1, such as ``child_policy`` or ``input``.
    """

    has_gaps = True

    def __init__(
        self,
        run: Any,
        *args: Any,
        seed: str | None = 'seed',
        evict: Callable[[], bool] | None = None,
        members: Mapping[str, Any] | None = None,
        engine: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> None:
        super().__init__()
        self.cls = made(run, **(members or {}))
        self.spec = WorkflowSpec(self.cls, self.cls.__name__, '1')
        self.engine = {'workflow_id': WORKFLOW_ID, 'run_id': RUN_ID, 'seed': seed, **(engine or {})}
        self.used: set[str] = set()
        self.answer: Decisions | None = None
        self.answers: list[Decisions] = []
        self.sticky = self.execution()
        self.roaming = self.execution()
        self._evict = evict
        self.answered_with: list[Decisions] = []
        self._started: events.DecisionStarted | None = None
        self._answered = 0
        given = {'input': encode([list(args), {}]), 'child_policy': 'TERMINATE', 'task_list': 'desk', **given}
        self.add(events.WorkflowStarted, time=START, name=self.spec.name, version='1', **given)

    # the engine's side

    def execution(self) -> Execution:
        return Execution(self.spec, **self.engine)

    def decide(self, limit: int | None = None, refuse: Mapping[Any, str] | None = None) -> list[str]:
        """One decision from start to response; what it says, a line for each decision."""
        said = self.start()
        self.respond(limit, refuse)
        return said

    def start(self) -> list[str]:
        """The decision task goes to the decider, which makes up its mind; what it says is not sent yet."""
        self._begin_decision()
        self._drop_superseded()
        sticky = _outcome(self.sticky, self._page(self.sticky))
        cold_one = self.execution()
        cold = _outcome(cold_one, self.events)
        try:
            assert sticky == cold, f'sticky: {sticky}\ncold:   {cold}'
            if self._evict is not None:
                self._roam(cold)
        finally:
            if isinstance(cold, Decisions):
                cold_one.close()
        if not isinstance(sticky, Decisions):
            raise sticky.error
        self.answer = sticky
        self.answers.append(sticky)
        return said(sticky)

    def _roam(self, cold: Any) -> None:
        if self._evict and self._evict():
            self.roaming.close()
            self.roaming = self.execution()
        found = _outcome(self.roaming, self._page(self.roaming))
        assert found == cold, f'evicted at random: {found}\ncold:              {cold}'

    def _drop_superseded(self) -> None:
        """Lets go of the executions that completed in a decision that counts as not made, as a worker does."""
        last = [place for place, event in enumerate(self.events) if isinstance(event, events.DecisionCompleted)]
        if not last:
            return
        batch = self.events[last[-1] :]
        refused = any(getattr(e, 'how', '') == 'completed' and e.cause == 'UNHANDLED_DECISION' for e in batch[1:])
        begun = next(place for place, e in enumerate(self.events) if e.id == batch[0].started_id)
        if refused and any(isinstance(event, events.Signaled) for event in self.events[begun:]):
            for execution in (self.sticky, self.roaming):
                execution.close()
            self.sticky, self.roaming = self.execution(), self.execution()

    def _page(self, execution: Execution) -> Sequence[Any]:
        if not execution.answered:
            return self.events
        assert execution.answered == self._answered
        new = next(count for count, event in enumerate(reversed(self.events), 1) if event.id == execution.answered)
        return self.events[-new:]

    def _begin_decision(self) -> None:
        assert self.closed is None, 'the execution is closed'
        assert self._started is None, 'a decision is under way'
        assert self.is_due, 'SWF has no reason to send a decision task'
        self.is_due = False
        self._started = self.add(events.DecisionStarted, time=START + timedelta(seconds=self.last_id))

    def check_whole(self) -> None:
        """The history as it stands is one that the code follows, whoever reads it."""
        fresh = self.execution()
        for execution, page in ((self.sticky, self._page(self.sticky)), (fresh, self.events)):
            assert execution.advance(page) is None
            assert execution.closed == (self.closed is not None)
        fresh.close()

    @property
    def result(self) -> Any:
        """What the execution completed with."""
        assert self.closed is not None, 'the execution is open'
        assert self.closed.how == 'completed', f'{self.closed.how}: {self.closed.reason}'
        return decode(self.closed.result)

    @property
    def failure(self) -> RemoteFailure:
        """What the execution failed with."""
        assert self.closed is not None, 'the execution is open'
        assert self.closed.how == 'failed', self.closed.how
        return decode_failure(self.closed.reason, self.closed.details)

    # the service's side

    def respond(self, limit: int | None = None, refuse: Mapping[Any, str] | None = None) -> None:
        """Records the answer; ``limit`` decisions fit, ``refuse`` says causes by decision class or id."""
        assert self._started is not None
        assert self.answer is not None
        found = self.answer.all if limit is None else self.answer.first_chunk(limit)
        check_batch(found)
        started, self._started = self._started, None
        self._answered = started.id
        self.answered_with.append(self.answer)
        causes = refuse or {}
        self.record_response(
            found, started, lambda decision: causes.get(type(decision)) or causes.get(key_of(decision))
        )
        if self.closed is not None:
            self.check_whole()

    def respond_close_refused(self, cause: str) -> None:
        """Records an answer of nothing but a close that SWF does not take."""
        started, self._started = self._started, None
        self._answered = started.id
        self.record_response(self.answer.all, started, lambda close: cause)

    def time_out_decision(self) -> None:
        """The decision that was made gets lost, and with it the execution that made it."""
        assert self._started is not None
        self._started = None
        self.sticky.close()
        self.sticky = self.execution()
        self.roaming.close()
        self.roaming = self.execution()
        self.add(events.DecisionTimedOut)

    def lose_decision_task(self) -> None:
        """A decision task goes to a decider that never sees it, and times out."""
        self._begin_decision()
        self._started = None
        self.add(events.DecisionTimedOut)

    # what happens to the open work: by number, or by activity id, timer id or workflow id

    def find(self, key: int | str | Item) -> Item:
        if isinstance(key, Item):
            return key
        found = [
            item
            for item in self.open.values()
            if key in (item.key, item.attempt) or item.attempt.partition('.')[0] == str(key)
        ]
        assert len(found) == 1, f'{key!r} is not open; open are {[item.attempt for item in self.open.values()][:20]}'
        return found[0]

    def is_open(self, key: int | str) -> bool:
        return any(key in (item.key, item.attempt, item.attempt.partition('.')[0]) for item in self.open.values())

    def _ends(self, key: int | str | Item, cls: type, **members: Any) -> None:
        self.settle(self.find(key), cls, **members)

    def completed(self, key: int | str | Item, value: Any = None, *, text: str | None = None) -> None:
        self._ends(key, events.Completed, result=encode(value) if text is None else text)

    def failed(
        self,
        key: int | str | Item,
        error: BaseException | None = None,
        reason: str | None = 'broken',
        details: Any = None,
    ) -> None:
        if error is not None:
            reason, details = encode_failure(error, 'Traceback: remote')
        self._ends(key, events.Failed, reason=reason, details=details)

    def timed_out(
        self, key: int | str | Item, timeout_type: str = 'START_TO_CLOSE', details: str | None = None
    ) -> None:
        self._ends(key, events.TimedOut, timeout_type=timeout_type, details=details)

    def canceled(self, key: int | str | Item, details: str | None = None) -> None:
        self._ends(key, events.Canceled, details=details)

    def terminated(self, key: int | str | Item) -> None:
        self._ends(key, events.Terminated)

    def fired(self, key: int | str | Item) -> None:
        self._ends(key, events.TimerFired)

    def child_started(self, key: int | str | Item) -> None:
        item = self.find(key)
        self.start_child(item, f'run of {item.key}')

    def delivered(self, key: int | str | Item) -> None:
        self._ends(key, events.Delivered)

    def undelivered(self, key: int | str | Item, cause: str = 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION') -> None:
        self._ends(key, events.Undelivered, cause=cause)

    def signaled(self, name: str, value: Any = None, *, text: str | None = None) -> None:
        self.add(events.Signaled, name=name, input=encode(value) if text is None else text)

    def cancel_requested(self) -> None:
        self.add(events.CancelRequested)

    def terminate(self) -> None:
        self.closed = self.add(events.Closed, decision_id=None, how='terminated')

    def opened(self, item: Item, decision: Any) -> None:
        """An attempt is scheduled once in the life of an execution."""
        if item.kind in ('activity', 'child', 'lambda'):
            assert item.attempt not in self.used, f'{item.attempt} is scheduled twice'
            self.used.add(item.attempt)


class Raised:
    """What an advance raised, as far as two of them are the same."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Raised) and repr(self) == repr(other)

    __hash__ = None

    def __repr__(self) -> str:
        return f'{type(self.error).__name__}: {self.error}'


def _outcome(execution: Execution, page: Sequence[Any]) -> Any:
    try:
        return execution.advance(page)
    except Exception as error:
        return Raised(error)
