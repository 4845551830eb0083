"""A tiny SWF for one execution: a history of the engine's own events, written by its answers and by the test.

Each decision is asked of a kept execution, which sees only what is new, and of a fresh one, which sees everything;
a story goes on only where both gave the same. What SWF refuses (a close that is not last, a schedule beside a close,
an id in use) is refused or recorded here too, and ids grow as SWF's do, with gaps where its history has events that
mean nothing to the engine. `decide` also insists that SWF would have sent a decision task at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from genflow import ActivityProxy, LambdaProxy, Signal, Workflow, WorkflowProxy
from genflow.core.engine.execution import Execution
from genflow.core.model import events
from genflow.core.model.decisions import CLOSES, Decisions
from genflow.core.model.registry import WorkflowSpec
from genflow.core.payloads.failures import RemoteFailure, decode_failure, encode_failure
from genflow.core.payloads.hooks import decode, encode

from .recording import DUE, HOW, RECORD, check_batch, key_of, said

START = datetime(2020, 1, 1, tzinfo=timezone.utc)
WORKFLOW_ID, RUN_ID = 'desk-1', 'run-1'

OPEN_LIMITS = {'activity': 1000, 'child': 1000, 'timer': 1000}
"""Open work of each kind in one execution (SWF's quotas)."""


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


class Open:
    """Something that the history has open."""

    def __init__(self, kind: str, key: str, ref: int, mark: str) -> None:
        self.kind = kind
        self.key = key
        self.ref = ref
        self.mark = mark
        self.started = 0


class Story:
    """One execution as SWF sees it.

    Args:
        run: The workflow's ``run``, or a workflow class.
        args: What it is called with.
        given: Other members of event 1, such as ``child_policy`` or ``input``.
    """

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
        self.cls = made(run, **(members or {}))
        self.spec = WorkflowSpec(self.cls, self.cls.__name__, '1')
        self.engine = {'workflow_id': WORKFLOW_ID, 'run_id': RUN_ID, 'seed': seed, **(engine or {})}
        self.events: list[Any] = []
        self.open: dict[int, Open] = {}
        self.used: set[str] = set()
        self.answer: Decisions | None = None
        self.answers: list[Decisions] = []
        self.closed: events.Closed | None = None
        self.sticky = self.execution()
        self.roaming = self.execution()
        self._evict = evict
        self._id = 0
        self._due = False
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
        assert self._due, 'SWF has no reason to send a decision task'
        self._due = False
        self._started = self.add(events.DecisionStarted, time=START + timedelta(seconds=self._id))

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
        queued = self._due
        completed = self.add(events.DecisionCompleted, started_id=self._started.id)
        self._answered = self._started.id
        self.answered_with.append(self.answer)
        self._started = None
        for decision in found:
            cause = self._cause(decision, queued, refuse or {})
            RECORD[type(decision)](self, decision, completed.id, cause)
        if self.closed is not None:
            self.check_whole()

    def respond_close_refused(self, cause: str) -> None:
        """Records an answer of nothing but a close that SWF does not take."""
        (close,) = self.answer.all
        completed = self.add(events.DecisionCompleted, started_id=self._started.id)
        self._answered, self._started = self._started.id, None
        self.add(events.CloseRefused, decision_id=completed.id, how=HOW[type(close)], cause=cause)
        self.due()

    def _cause(self, decision: Any, queued: bool, refuse: Mapping[Any, str]) -> str | None:
        if isinstance(decision, CLOSES) and queued:
            return 'UNHANDLED_DECISION'
        for key in (type(decision), key_of(decision)):
            if key in refuse:
                return refuse[key]
        return None

    def time_out_decision(self) -> None:
        """The decision that was made gets lost, and with it the execution that made it."""
        assert self._started is not None
        self._started = None
        self.sticky.close()
        self.sticky = self.execution()
        self.roaming.close()
        self.roaming = self.execution()
        self.add(events.DecisionTimedOut)
        self.due()

    def lose_decision_task(self) -> None:
        """A decision task goes to a decider that never sees it, and times out."""
        self._begin_decision()
        self._started = None
        self.add(events.DecisionTimedOut)
        self.due()

    def add(self, cls: type, **members: Any) -> Any:
        self._id += 1
        event = cls(id=self._id, **members)
        self.events.append(event)
        if cls in DUE:
            self.due()
        return event

    @property
    def is_due(self) -> bool:
        """Whether SWF has a decision task to give."""
        return self._due

    def due(self) -> None:
        if not self._due:
            self._due = True
            self._id += 1  # DecisionTaskScheduled

    # what happens to the open work: by number, or by activity id, timer id or workflow id

    def find(self, key: int | str | Open) -> Open:
        if isinstance(key, Open):
            return key
        found = [
            item
            for item in self.open.values()
            if key in (item.key, item.mark) or item.mark.partition('.')[0] == str(key)
        ]
        assert len(found) == 1, f'{key!r} is not open; open are {[item.mark for item in self.open.values()][:20]}'
        return found[0]

    def is_open(self, key: int | str) -> bool:
        return any(key in (item.key, item.mark, item.mark.partition('.')[0]) for item in self.open.values())

    def _close(self, key: int | str | Open) -> int:
        item = self.find(key)
        del self.open[item.ref]
        if item.kind in ('activity', 'lambda'):
            self._id += 1  # ActivityTaskStarted
        return item.ref

    def completed(self, key: int | str | Open, value: Any = None, *, text: str | None = None) -> None:
        self.add(events.Completed, ref=self._close(key), result=encode(value) if text is None else text)

    def failed(
        self,
        key: int | str | Open,
        error: BaseException | None = None,
        reason: str | None = 'broken',
        details: Any = None,
    ) -> None:
        if error is not None:
            reason, details = encode_failure(error, 'Traceback: remote')
        self.add(events.Failed, ref=self._close(key), reason=reason, details=details)

    def timed_out(
        self, key: int | str | Open, timeout_type: str = 'START_TO_CLOSE', details: str | None = None
    ) -> None:
        self.add(events.TimedOut, ref=self._close(key), timeout_type=timeout_type, details=details)

    def canceled(self, key: int | str | Open, details: str | None = None) -> None:
        self.add(events.Canceled, ref=self._close(key), details=details)

    def terminated(self, key: int | str | Open) -> None:
        self.add(events.Terminated, ref=self._close(key))

    def fired(self, key: int | str | Open) -> None:
        self.add(events.TimerFired, ref=self._close(key))

    def child_started(self, key: int | str | Open) -> None:
        item = self.find(key)
        item.started = self._id + 1
        self.add(events.ChildStarted, ref=item.ref, workflow_id=item.key, run_id=f'run of {item.key}')

    def delivered(self, key: int | str | Open) -> None:
        self.add(events.Delivered, ref=self._close(key))

    def undelivered(self, key: int | str | Open, cause: str = 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION') -> None:
        self.add(events.Undelivered, ref=self._close(key), cause=cause)

    def signaled(self, name: str, value: Any = None, *, text: str | None = None) -> None:
        self.add(events.Signaled, name=name, input=encode(value) if text is None else text)

    def cancel_requested(self) -> None:
        self.add(events.CancelRequested)

    def terminate(self) -> None:
        self.closed = self.add(events.Closed, decision_id=None, how='terminated')

    # recording

    def opened(self, kind: str, key: str, event: Any, mark: str) -> None:
        self.open[event.id] = Open(kind, key, event.id, mark)

    def refused(self, kind: str, key: str, decision_id: int, cause: str, control: str | None = None) -> None:
        self.add(events.Refused, decision_id=decision_id, kind=kind, key=key, cause=cause, control=control)

    def taken(self, kind: str, key: str) -> bool:
        return any(item.kind == kind and item.key == key for item in self.open.values())

    def full(self, kind: str) -> bool:
        return sum(item.kind == kind for item in self.open.values()) >= OPEN_LIMITS[kind]

    def once(self, mark: str) -> None:
        """An attempt is scheduled once in the life of an execution."""
        assert mark not in self.used, f'{mark} is scheduled twice'
        self.used.add(mark)


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
