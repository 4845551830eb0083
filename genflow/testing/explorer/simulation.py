"""One run of a workflow on a simulated SWF: the actions that are possible next, and their effects.

*Theory of operation.* The simulation holds a history in the engine's own events and asks a live
:class:`~genflow.core.engine.execution.Execution` for decisions. :meth:`Simulation.actions` lists what can happen next,
the first-in-first-out choice first; :meth:`Simulation.take` lets one of it happen. A run is therefore a list of
choices, and the same choices give the same run.

Time moves only when something needs it to: a timer fires, or a time-out strikes. Nothing may happen after the moment
at which another open item must have ended, so a timer of a day never wins against an activity that may take a minute.
"""

from __future__ import annotations

import dis
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from types import FrameType, GeneratorType
from typing import Any, NamedTuple

from attrs import evolve

from genflow.core.engine.execution import Execution
from genflow.core.errors import GenflowError
from genflow.core.model import decisions, events
from genflow.core.model.decisions import Decisions
from genflow.core.model.info import ExecutionIds
from genflow.core.model.wire_names import REPLY_MARKER, UPDATE_SIGNAL
from genflow.core.payloads.failures import encode_failure
from genflow.core.payloads.hooks import decode, encode
from genflow.core.tasks.combinators import Race
from genflow.core.tasks.saga import Saga
from genflow.core.tasks.signals import SignalGet
from genflow.core.text import suspended_at
from genflow.swf.tasks.respond import Canceled, Completed, Failed, Suspended
from genflow.testing.explorer.items import DECIDE, Action, Item
from genflow.testing.explorer.service_model import DUE, ServiceModel
from genflow.testing.explorer.setup import Called, Setup
from genflow.testing.explorer.undoing import SagaLog
from genflow.testing.tester.doubles import Double
from genflow.testing.tester.stub_runner import play

__all__ = ['ALREADY_RUNNING', 'CANCEL', 'Call', 'Simulation', 'WatchedExecution']

START = datetime(2000, 1, 1, tzinfo=timezone.utc)
WORKFLOW_ID = 'workflow-1'
MAX_RESPONSE = 100
"""Decisions of one response (SWF's quota)."""

USUAL_LIMIT = 420
"""Seconds after which an activity times out whose limits are not known: the default of genflow's decorator."""

MAX_SELF_SIGNALS = 50

ALREADY_RUNNING = 'WORKFLOW_ALREADY_RUNNING'
"""The cause with which SWF refuses to start a child of whose id an execution is open."""

MISTAKES = frozenset({'AttributeError', 'NameError', 'UnboundLocalError', 'TypeError', 'RecursionError'})
"""What an update raises that has a mistake; others are its answer to whoever asks for what cannot be done."""

WORK = frozenset({'activity', 'child', 'lambda'})
"""The kinds of calls that do something outside."""


class WatchedExecution(Execution):
    """An execution whose warnings are collected instead of logged, and of whose sagas notes are taken."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warnings: list[str] = []
        self.log = SagaLog()

    def schedule(self, call: Any, frame: FrameType) -> None:
        if call.kind in WORK and not self.silent:
            self.log.note_work(call.proxy.name, self.current)
        super().schedule(call, frame)

    def saga_changed(self, saga: Saga, change: str, step: Any = None) -> None:
        if not self.silent:
            self.log.note(saga, change, step, self.count, self.current)

    def report(self, message: str) -> None:
        self.warnings.append(message)


def _first_run(_: str, previous: ExecutionIds) -> ExecutionIds:
    """The first of the runs; nothing here has a parent."""
    return ExecutionIds(previous.workflow_id, 'run-1')


class Call:
    """A call that the workflow made, as checks see it: one for each attempt that was scheduled.

    Attributes:
        kind: ``activity``, ``child`` or ``lambda``.
        name: Of the type.
        args: Positional arguments; of an input that is not genflow's JSON, the text.
        kwargs: Keyword arguments.
        number: Of the call in its run; further attempts have the same number.
        run: Which run of the execution made it, from 1.
        outcome: ``open``, ``completed``, ``failed``, ``timed out``, ``canceled`` or ``terminated``.
        ended: How many calls had been made when it ended; ``None`` while it is open.
        asked: What it asks for, once a judge has found that out.
    """

    __slots__ = ('_words', 'asked', 'attribute', 'ended', 'input', 'kind', 'name', 'number', 'outcome', 'run')

    def __init__(self, kind: str, name: str, attribute: str, input: str | None, number: str, run: int) -> None:
        self.kind = kind
        self.name = name
        self.attribute = attribute
        self.input = input
        self.number = number
        self.run = run
        self.outcome = 'open'
        self.ended: int | None = None
        self.asked: tuple[str, str] | None = None
        self._words: tuple[list[Any], dict[str, Any]] | None = None

    @property
    def args(self) -> list[Any]:
        return self._read()[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        return self._read()[1]

    def _read(self) -> tuple[list[Any], dict[str, Any]]:
        if self._words is None:
            self._words = _arguments(self.input)
        return self._words

    def over(self, outcome: str, ended: int) -> Call:
        """The same call, once it has ended; runs that have a beginning in common share the one that is open."""
        call = Call(self.kind, self.name, self.attribute, self.input, self.number, self.run)
        call.outcome, call.ended, call.asked = outcome, ended, self.asked
        return call

    def __repr__(self) -> str:
        words = [*map(repr, self.args), *(f'{name}={value!r}' for name, value in self.kwargs.items())]
        return f'{self.attribute or self.name}({", ".join(words)})'


def _arguments(input: str | None) -> tuple[list[Any], dict[str, Any]]:
    try:
        args, kwargs = decode(input or '[[], {}]')
    except (ValueError, TypeError):
        return [input], {}
    return (args, kwargs) if isinstance(args, list) and isinstance(kwargs, dict) else ([input], {})


class Simulation(ServiceModel):
    """One execution with its restarts.

    Attributes:
        setup: What all runs share.
        live: The execution as a worker keeps it.
        past: The histories of the runs before it.
        calls: Every attempt that was scheduled, in all runs.
        error: What made it impossible to decide.
        has_failures: Whether anything failed or timed out, or a signal came that was not needed.
        steps: The choices that were made.
        failed_updates: The names of the updates that failed.
        broken_update: An update that failed since its code has a mistake.
        arrived: By name, how many signals have come.
        cancel_at: How many calls had been made when the cancellation was requested.
        open_at_cancel: The labels of the calls that were open then.
        needs_signal: The signal without which a canceled execution could not go on, and where it waits for it.
        signal_places: Where branches waited when a signal came, if the setup asks for that.
        started_twice: The id of a child that the code starts while its own child of that id is open.
        digest: A number that is the same for the same things having happened in any order.
        call_of: The call of each event that opened something in the current run.
        all_sent: Whether the last answer was short enough to be sent as a whole.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.past: list[list[Any]] = []
        self._past_logs: list[SagaLog] = []
        self.calls: list[Call] = []
        self.failure: BaseException | None = None
        self.unretrieved = ''
        self.error: BaseException | None = None
        self.cut = False
        self.has_failures = False
        self.canceled_run = 0
        self.violation: str | None = None
        self.steps: list[Action] = []
        self.warnings: list[str] = []
        self.unread: dict[str, int] = {}
        self.failed_updates: set[str] = set()
        self.broken_update: str | None = None
        self.arrived: Counter[str] = Counter()
        self.spent = 0
        self.cancel_at: int | None = None
        self.cancel_events = 0
        self.moved_by_cancel = False
        self.open_at_cancel: list[str] = []
        self.needs_signal: tuple[str, frozenset[str]] | None = None
        self.signal_places: set[str] = set()
        self.started_twice = ''
        self.digest = 0
        self.total = 0
        self.time = 0.0
        self.signals = {name: tuple(texts) for name, texts in setup.signals.items()}
        self.extra = list(setup.extra)
        self.sent_to_itself: set[str] = set()
        self._self_signals = 0
        self._faulty: set[str] = set()
        self._timed_out: set[str] = set()
        self._names: Counter[str] = Counter()
        super().__init__()
        self._start(setup.input, None)

    def begin(self) -> None:
        super().begin()
        self.call_of: dict[int, str] = {}
        self.all_sent = True
        self._place_of: dict[int, int] = {}
        self._heard: list[type] = []
        self._evicted = False
        self._prepared = False
        self._refused: str | None = None
        self._during: Action | None = None
        self._answered = self._told = self._recorded = 0
        self._response: Decisions | None = None
        self.live = self.execution()

    def _start(self, input: str | None, continued: str | None) -> None:
        spec = self.setup.spec
        self.add(
            events.WorkflowStarted,
            time=START + timedelta(seconds=self.time),
            name=spec.name,
            version=spec.version,
            input=input,
            task_list=spec.task_list or 'default',
            child_policy=spec.child_policy or 'TERMINATE',
            workflow_duration=spec.workflow_duration or 3600,
            decision_duration=spec.decision_duration or 60,
            continued_run_id=continued,
        )

    @property
    def run_id(self) -> str:
        return f'run-{len(self.past) + 1}'

    def execution(self) -> WatchedExecution:
        """A new execution that knows nothing yet."""
        return WatchedExecution(
            self.setup.spec, workflow_id=WORKFLOW_ID, run_id=self.run_id, seed=self.run_id, origins=_first_run
        )

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done in this run: it closed, broke, was cut off, or is known to be wrong."""
        wrong = self.violation is not None or self.broken_update is not None
        return wrong or self.closed is not None or self.error is not None or self.cut

    @property
    def pending(self) -> tuple[Any, ...]:
        """What is chosen for the next decision."""
        during = self._during
        return (self.is_due, self._evicted, self._refused, during and during.label, bool(self._answered))

    def untold(self) -> list[Any]:
        """The events since the last decision began that the next one will tell the code of."""
        return [event for event in self.events[self._answered :] if type(event) in DUE] if self.is_due else []

    def is_faulty(self, item: Item) -> bool:
        """Whether something went wrong with the call of an item already."""
        return item.call in self._faulty

    def call_at(self, ref: int) -> Call | None:
        """The call of an open item of the current run."""
        place = self._place_of.get(ref)
        return None if place is None else self.calls[place]

    def saga_log(self, run: int) -> SagaLog:
        """What was noted of the sagas of one run, counted from 1."""
        return [*self._past_logs, self.live.log][run - 1]

    def stub_of(self, item: Item) -> tuple[Any] | None:
        """The stub of an open call, in a tuple; nothing where it has none."""
        part = self._called(item).part
        return (part.stub,) if part is not None and part.is_stubbed else None

    def parameters(self, call: Call) -> list[str]:
        """The names of the positional parameters of what was called, as far as its code is known."""
        return self.setup.parameters.get((call.kind, call.name), [])

    def serves(self) -> bool:
        """Whether each branch waits in a loop for one more of the signals that it has read, so that it never ends."""
        boxes = self.live.mailboxes
        return not any(box.items for box in boxes.values()) and all(
            _is_in_loop(generator) and any(boxes[name].read for name in _signals_alone(branch.awaiting))
            for generator, branch in self.live.branches.items()
        )

    def close(self) -> None:
        """Closes the generators."""
        self.live.close()

    def catch_up(self) -> bool:
        """Brings a new execution to where the last decision left the one before; whether the code follows its history.

        The last decision is made again. Where its answer is another one, such as one with a new value of a side effect,
        what was recorded of it is replayed as well.
        """
        self.live = self.execution()
        if self._answered == 0:
            return True
        try:
            self._told = self._answered
            if self.live.advance(self.events[: self._told]) != self._response and not self._evicted:
                self.live.close()
                self.live = self.execution()
                self._told = self._recorded
                self.live.advance(self.events[: self._told])
        except GenflowError:
            return False
        self.live.warnings.clear()
        return True

    # possible actions

    def actions(self, allowance: int) -> list[Action]:
        """What can happen next within so many faults, the first-in-first-out choice first; nothing if it is stuck."""
        if self.ended:
            return []
        if not self.is_due:
            return list(self._happenings(allowance))
        if allowance < 1 or self._prepared:
            return [DECIDE]
        return [DECIDE, *self._around_a_decision(allowance)]

    def _around_a_decision(self, allowance: int) -> Iterator[Action]:
        """What can come in between while a decision is due, each counted as a fault."""
        for action in self._happenings(allowance - 1):
            yield action.around('before')
            if self._answered:
                yield action.around('during')
        if self._answered and not self._evicted:
            yield EVICT
        if self.setup.faults and allowance >= LOSE.cost:
            yield LOSE
            yield from (action for action in REFUSALS if _REFUSABLE[action.name].kind in self.setup.kinds)

    def _happenings(self, allowance: int) -> Iterator[Action]:
        """What happens at SWF, in the order of first in first out: work, then signals, then time."""
        horizon = min((min(item.due, item.limit) for item in self.open.values()), default=math.inf)
        items = list(self.open.values())
        for item in items:
            if item.kind != 'timer' and not item.silent:
                yield from self._outcomes(item, horizon, allowance)
        yield from self._signals(allowance)
        for item in items:
            if item.kind == 'timer' and item.due <= horizon:
                yield Action('end', item.label, 'fired', '', 0, item.ref)
            elif item.silent and item.limit <= horizon < math.inf:
                yield Action('end', item.label, 'timed out', '', 0, item.ref)
        if allowance:
            yield from (Action('signal', name, 'extra', '', 1) for name in self.extra)
            if self.setup.faults and self.cancel_at is None:
                yield CANCEL

    def _signals(self, allowance: int) -> Iterator[Action]:
        variants = self.setup.variants if allowance else {}
        for name, texts in self.signals.items():
            if texts:
                yield Action('signal', name)
                yield from (Action('signal', name, f'with {text}', '', 1) for text in variants.get(name, ()))

    def _outcomes(self, item: Item, horizon: float, allowance: int) -> Iterator[Action]:
        is_free = item.call in self._faulty
        for outcome, cost in self._choices(item):
            if (is_free or cost <= allowance) and not (item.limit > horizon and outcome.startswith('timed out')):
                yield Action('end', item.label, outcome, '', 0 if is_free else cost, item.ref)

    def _choices(self, item: Item) -> Sequence[tuple[str, int]]:
        if item.kind in ('signal', 'cancel'):
            fails = self.setup.faults and item.target != WORKFLOW_ID
            return (_DELIVERED, ('undelivered', 2)) if fails else (_DELIVERED,)
        if item.kind == 'child' and not item.started:
            return _STARTED
        answers = self._called(item).answers
        return (_CANCELED, *answers) if item.canceling else answers

    def _called(self, item: Item) -> Called:
        """What is the same for all calls of a type, found out at its first one."""
        key = (item.kind, item.name, item.version)
        known = self.setup.called.get(key)
        if known is None:
            part = self.setup.cast.parts.get(key)
            known = self.setup.called[key] = Called(
                part,
                '' if part is None else _attribute(self.setup.spec.cls, part),
                tuple(_answers(item.kind, part, faults=self.setup.faults)),
                encode(None) if part is None else part.proxy._serialize_result(None),
            )
        return known

    # applying an action

    def take(self, action: Action) -> None:
        """Lets one of :meth:`actions` happen."""
        self.steps.append(action)
        self.spent += action.cost
        self.has_failures = self.has_failures or action.outcome not in (*_CALM, 'canceled')
        if action.when == 'during':
            self._during = action
            self._prepared = True
        else:
            if action.verb == 'signal' and not action.when:
                self._note_need(action.name)
            _TAKE[action.verb](self, action)
        if self.total > self.setup.max_events:
            self.cut = True

    def _note_need(self, name: str) -> None:
        """Takes a note if only a signal lets a canceled execution go on."""
        if self.setup.notes_places:
            self.signal_places.update(self._places())
        box = self.live.mailboxes.get(name)
        if self.moved_by_cancel and not self.open and not self.is_due and box is not None and box.is_awaited():
            self.needs_signal = self.needs_signal or (name, frozenset(self._places()))

    def _places(self) -> Iterator[str]:
        """Where branches wait."""
        return map(suspended_at, self.live.branches)

    def evict(self, action: Action) -> None:
        self._evicted = self._prepared = True

    def lose(self, action: Action) -> None:
        self.add(events.DecisionStarted, time=self._now())
        self.add(events.DecisionTimedOut)
        self._evicted = True

    def refuse(self, action: Action) -> None:
        self._refused = action.name
        self._prepared = True

    def signal(self, action: Action) -> None:
        text = self.text_of(action)
        if action.outcome == 'extra':
            self.extra.remove(action.name)
        else:
            self.signals[action.name] = self.signals[action.name][1:]
        self._signaled(action.name, text)

    def text_of(self, action: Action) -> str:
        """The input of the signal that one of :meth:`actions` sends."""
        if action.outcome == 'extra':
            return self.setup.extra[action.name]
        return action.outcome.removeprefix('with ') or self.signals[action.name][0]

    def _signaled(self, name: str, text: str | None) -> None:
        sent = UPDATE_SIGNAL if name.startswith(f'{UPDATE_SIGNAL} ') else name
        self.arrived[sent] += 1
        self.add(events.Signaled, name=sent, input=text)
        self._happened('signal', name, text)

    def cancel(self, action: Action) -> None:
        self.cancel_at = len(self.calls)
        self.cancel_events = self.total
        self.canceled_run = len(self.past)
        self.open_at_cancel = [item.label for item in self.open.values() if item.kind in WORK]
        self.add(events.CancelRequested)
        self._happened('cancel')

    def end(self, action: Action) -> None:
        """An open item ends, or a child begins."""
        item = self.open[action.ref]
        if action.cost:
            self._faulty.add(item.call)
        self._pass_time(item, action.outcome)
        if action.outcome == 'started':
            self._start_child(item)
        elif action.outcome in ('answered', 'timed out, performed'):
            self._perform(item, lost=action.outcome != 'answered')
        else:
            self._finish(item, action.outcome)

    def _pass_time(self, item: Item, outcome: str) -> None:
        if outcome == 'fired':
            self.time = max(self.time, item.due)
        elif outcome.startswith('timed out'):
            late = item.limit if item.limit < math.inf else self.time + USUAL_LIMIT
            others = [other.due for other in self.open.values() if other is not item]
            self.time = max(self.time, min([late, *others]) if item.limit == math.inf else late)

    def _start_child(self, item: Item) -> None:
        self.start_child(item, f'run of {item.label}')
        self._happened(item.kind, item.name, item.input, 'started')

    def _finish(self, item: Item, outcome: str) -> None:
        word, _, error = outcome.partition(':')
        cls, members = _ENDS[word]
        if error:
            members = dict(zip(('reason', 'details'), self._raised(item, error), strict=True))
        elif outcome == 'completed':
            members = {'result': self._called(item).nothing}
        self._settled(item, word.partition(',')[0])
        self.settle(item, cls, **members)
        self._happened(item.kind, item.name, item.input, word.partition(',')[0] + error)
        if item.target == WORKFLOW_ID and outcome == 'delivered':
            self._deliver_to_itself(item)

    def _deliver_to_itself(self, item: Item) -> None:
        self._self_signals += 1
        if item.kind == 'signal' and self._self_signals <= MAX_SELF_SIGNALS:
            self.sent_to_itself.add(item.name)
            self._signaled(item.name, item.input)
        elif item.kind == 'cancel' and self.cancel_at is None:
            self.cancel(DECIDE)

    def _raised(self, item: Item, name: str) -> tuple[str, str]:
        part = self._called(item).part
        classes = getattr(part.proxy.options, 'raises', ()) if part is not None else ()
        cls = next(cls for cls in classes if cls.__name__ == name)
        return encode_failure(cls('explored'), 'Traceback: explored')

    def _perform(self, item: Item, *, lost: bool) -> None:
        """A stub does its work; its answer arrives, or is lost because the time-out came first."""
        part = self._called(item).part
        assert part is not None  # noqa: S101 - only what has a stub is performed
        outcome, stand = play(part, item.input, None)
        if isinstance(outcome, Suspended) and not lost:
            if stand.time_out is None:
                self.open[item.ref] = evolve(item, silent=True)
                self._happened(item.kind, item.name, item.input, 'silent')
                return
            outcome, lost = Failed('', None), True
        if lost:
            self._settled(item, 'timed out')
            kind = stand.time_out.type if stand.time_out is not None else None
            self.settle(item, events.TimedOut, timeout_type=kind or 'START_TO_CLOSE')
            self._happened(item.kind, item.name, item.input, 'lost')
            return
        cls, members = _answer_event(outcome)
        self._settled(item, _WORDS[cls])
        self.settle(item, cls, **members)
        self._happened(item.kind, item.name, item.input, _WORDS[cls], str(sorted(members.items())))

    def _settled(self, item: Item, outcome: str) -> None:
        if outcome == 'timed out':
            self._timed_out.add(item.name)
        place = self._place_of.get(item.ref)
        if place is not None:
            self.calls[place] = self.calls[place].over(outcome, len(self.calls))

    # decisions

    def decide(self, action: Action) -> None:
        during, self._during = self._during, None
        self.is_due = self._prepared = False
        started = self.add(events.DecisionStarted, time=self._now())
        if self._evicted:
            self._evicted = False
            self.warnings += self.live.warnings
            self.live.close()
            self.live = self.execution()
            self._told = 0
        heard, self._heard = self._heard, []
        root = self.live.root
        stood = root is not None and root.generator is not None
        waiting = [(branch, branch.awaiting) for branch in self.live.branches.values()]
        page, self._told = self.events[self._told :], len(self.events)
        try:
            answer = self.live.advance(page)
        except GenflowError as error:
            self.error = error
            return
        self._always()
        if events.CancelRequested in heard:
            self.cancel_at = len(self.calls)
        if heard == [events.CancelRequested] and stood and any(branch.awaiting is not task for branch, task in waiting):
            self.moved_by_cancel = True
        if during is not None:
            _TAKE[during.verb](self, during)
        self._answered = started.id
        refused, self._refused = self._refused, None
        self._response = response = answer or Decisions()
        self.all_sent = len(response.all) <= MAX_RESPONSE
        self.record_response(response.first_chunk(MAX_RESPONSE), started, _Refusing(self, refused))
        self._recorded = len(self.events)

    def _always(self) -> None:
        """Holds the workflow against the invariant that is to be true after every decision."""
        always, workflow = self.setup.always, self.live.workflow
        if always is None or workflow is None or self.violation is not None:
            return
        with self.live.silence():
            try:
                answer = always(workflow)
            except Exception as error:  # noqa: BLE001 - such as a query that asks for what is not there yet
                self.violation = f'the invariant fails after a decision: {error!r}'
                return
        if answer is not None and not answer:
            self.violation = 'the invariant is false after a decision'

    def refused(self, kind: str, key: str, decision_id: int, cause: str, control: str | None = None) -> None:
        super().refused(kind, key, decision_id, cause, control)
        self._happened('refused', kind, cause)

    def conclude(self, decision: Any, decision_id: int, cause: str | None) -> None:
        if cause is not None:
            super().conclude(decision, decision_id, cause)
            self._evicted = True  # a worker keeps no execution that it has closed
            return
        pending_close = self.live.pending_close
        self.failure = getattr(pending_close, 'error', None)
        left = getattr(pending_close, 'left', None)
        self.unretrieved = '' if left is None else left.label
        self.unread = {name: len(box.items) for name, box in self.live.mailboxes.items() if box.items}
        super().conclude(decision, decision_id, cause)
        if isinstance(decision, decisions.ContinueAsNew):
            self.closed = None
            self._restart(decision)

    def _restart(self, decision: decisions.ContinueAsNew) -> None:
        run_id = self.run_id
        self.warnings += self.live.warnings
        self.live.close()
        self.past.append(self.events)
        self._past_logs.append(self.live.log)
        if len(self.past) >= self.setup.max_runs:
            self.cut = True
            return
        self._happened('restart', decision.input)
        self.begin()
        self._start(decision.input, run_id)

    # writing

    def _now(self) -> datetime:
        return START + timedelta(seconds=self.time)

    def add(self, cls: type, **members: Any) -> Any:
        self.total += 1
        if cls in DUE:
            self._heard.append(cls)
        return super().add(cls, **members)

    def _happened(self, *what: Any) -> None:
        self.digest = (self.digest + hash(what)) & 0xFFFFFFFFFFFFFFFF

    def opened(self, item: Item, decision: Any) -> None:
        self._names[item.name] += 1
        item.label = f'{item.name}#{self._names[item.name]}'
        number = item.attempt.partition('.')[0]
        item.call = self.call_of[item.ref] = f'{len(self.past)}/{number}'
        if item.kind == 'timer':
            item.due = self.time + decision.seconds
        elif item.kind == 'activity':
            item.limit = self.time + self._latest(item, decision)
        is_again, is_canceled = item.name in self._timed_out, self.cancel_at is not None
        self._happened('open', item.kind, item.name, item.input, is_again, is_canceled)
        if item.kind in WORK:
            made = Call(item.kind, item.name, self._called(item).attribute, item.input, number, len(self.past) + 1)
            self._place_of[item.ref] = len(self.calls)
            self.calls.append(made)

    def _latest(self, item: Item, d: decisions.ScheduleActivity) -> float:
        part = self._called(item).part
        spec = None if part is None else part.spec
        limits = {
            name: getattr(d, name) if getattr(d, name) is not None else getattr(spec, name, None)
            for name in ('schedule_to_close', 'schedule_to_start', 'start_to_close')
        }
        whole, start, rest = (math.inf if value is None else value for value in limits.values())
        return min(whole, start + rest)

    def marked(self, decision: decisions.RecordMarker) -> None:
        self._happened('marker', decision.name, decision.details)
        if decision.name == REPLY_MARKER:
            answer = decode(decision.details or '{}')
            if 'reason' in answer:
                self._update_failed(answer['id'].rpartition('-')[0], answer['reason'])

    def _update_failed(self, name: str, reason: str) -> None:
        self.failed_updates.add(name)
        if name in self.setup.judged_updates and reason.partition(':')[0] in MISTAKES and 'NoneType' not in reason:
            self.broken_update = f'the update {name} fails with {reason}'


def _is_in_loop(generator: GeneratorType[Any, Any, Any]) -> bool:
    """Whether the place at which a generator stands is in a loop of its code; ``yield from`` is none."""
    frame = generator.gi_frame
    return frame is not None and any(
        step.opcode in _JUMPS
        and step.opname != 'JUMP_BACKWARD_NO_INTERRUPT'
        and step.argval <= frame.f_lasti < step.offset
        for step in dis.get_instructions(generator.gi_code)
    )


def _signals_alone(task: Any) -> list[str]:
    """The signals of which a wait needs one; nothing if it needs anything else."""
    members = task.members if isinstance(task, Race) else [task]
    names = [member.name for member in members if isinstance(member, SignalGet)]
    return names if len(names) == len(members) else []


_JUMPS = frozenset({*dis.hasjabs, *dis.hasjrel})


def _attribute(cls: type, part: Double) -> str:
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if value is part.proxy:
                return name
    return ''


def _answers(kind: str, part: Double | None, *, faults: bool) -> Iterator[tuple[str, int]]:
    if part is not None and part.is_stubbed:
        yield ('answered', 0)
        if faults and callable(part.stub) and not isinstance(part.stub, type) and kind == 'activity':
            yield ('timed out, performed', 1)
            yield ('timed out', 2)
        return
    yield ('completed', 0)
    if not faults:
        return
    yield ('failed', 1)
    for cls in getattr(part.proxy.options, 'raises', ()) if part is not None else ():
        yield (f'failed:{cls.__name__}', 1)
    yield ('timed out', 1)
    if kind == 'activity':
        yield ('timed out, not started', 2)
        yield from ((outcome, 2) for outcome in _other_time_outs(part))
    if kind == 'child':
        yield ('terminated', 2)


def _other_time_outs(part: Double | None) -> Iterator[str]:
    """The time-outs that an activity has only where its proxy or its type says so."""
    settings = [part.proxy.options, part.spec] if part is not None else []
    for name, outcome in (('heartbeat', 'timed out, no heartbeat'), ('schedule_to_close', 'timed out, in all')):
        if any(getattr(options, name, None) not in (None, math.inf) for options in settings):
            yield outcome


def _answer_event(outcome: Any) -> tuple[type, dict[str, Any]]:
    if isinstance(outcome, Completed):
        return events.Completed, {'result': outcome.result}
    if isinstance(outcome, Canceled):
        return events.Canceled, {'details': outcome.details}
    return events.Failed, {'reason': outcome.reason, 'details': outcome.details}


_WORDS: dict[type, str] = {events.Completed: 'completed', events.Canceled: 'canceled', events.Failed: 'failed'}

_ENDS: dict[str, tuple[type, dict[str, Any]]] = {
    'completed': (events.Completed, {}),
    'failed': (events.Failed, {'reason': 'explored', 'details': None}),
    'timed out': (events.TimedOut, {'timeout_type': 'START_TO_CLOSE'}),
    'timed out, not started': (events.TimedOut, {'timeout_type': 'SCHEDULE_TO_START'}),
    'timed out, no heartbeat': (events.TimedOut, {'timeout_type': 'HEARTBEAT'}),
    'timed out, in all': (events.TimedOut, {'timeout_type': 'SCHEDULE_TO_CLOSE'}),
    'canceled': (events.Canceled, {}),
    'terminated': (events.Terminated, {}),
    'fired': (events.TimerFired, {}),
    'delivered': (events.Delivered, {}),
    'undelivered': (events.Undelivered, {'cause': 'UNKNOWN_EXTERNAL_WORKFLOW_EXECUTION'}),
}
"""What an outcome is in the history."""

_DELIVERED = ('delivered', 0)
_STARTED = (('started', 0),)
_CANCELED = ('canceled', 0)

_CALM = frozenset({'', 'started', 'completed', 'answered', 'fired', 'delivered'})
"""The outcomes with which nothing went wrong."""


class Refusal(NamedTuple):
    """What SWF may refuse of the next decision: the first of its kind."""

    decision: type
    kind: str
    cause: str


class _Refusing:
    """Refuses the first decision of a kind, once, and a child of which one is open already."""

    def __init__(self, run: Simulation, name: str | None) -> None:
        self._run = run
        self._refusal = None if name is None else _REFUSABLE[name]

    def __call__(self, decision: Any) -> str | None:
        if type(decision) is decisions.StartChild and self._run.open_item('child', decision.workflow_id) is not None:
            self._run.started_twice = decision.workflow_id
            return ALREADY_RUNNING
        refusal = self._refusal
        if refusal is None or refusal.decision is not type(decision):
            return None
        self._refusal = None
        return refusal.cause


_REFUSABLE: dict[str, Refusal] = {
    'activity': Refusal(decisions.ScheduleActivity, 'activity', 'ACTIVITY_CREATION_RATE_EXCEEDED'),
    'timer': Refusal(decisions.StartTimer, 'timer', 'TIMER_CREATION_RATE_EXCEEDED'),
    'child': Refusal(decisions.StartChild, 'child', 'CHILD_CREATION_RATE_EXCEEDED'),
    'lambda': Refusal(decisions.ScheduleLambda, 'lambda', 'LAMBDA_FUNCTION_CREATION_RATE_EXCEEDED'),
    'activity, of a type that SWF does not know,': Refusal(
        decisions.ScheduleActivity, 'activity', 'ACTIVITY_TYPE_DOES_NOT_EXIST'
    ),
    'child, since one of its id is open,': Refusal(decisions.StartChild, 'child', ALREADY_RUNNING),
}
"""By how a story names it. A rate makes the engine try again, the other causes fail the call."""

CANCEL = Action('cancel', cost=1)
EVICT = Action('evict', cost=1)
LOSE = Action('lose', cost=2)
REFUSALS = [Action('refuse', kind, cost=2) for kind in _REFUSABLE]

_TAKE: dict[str, Callable[[Simulation, Action], None]] = {
    'decide': Simulation.decide,
    'end': Simulation.end,
    'signal': Simulation.signal,
    'cancel': Simulation.cancel,
    'evict': Simulation.evict,
    'lose': Simulation.lose,
    'refuse': Simulation.refuse,
}
