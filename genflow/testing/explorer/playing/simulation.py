"""One run of a workflow on a simulated SWF: the actions that are possible next, and their effects.

*Theory of operation.* The simulation holds a history in the engine's own events and asks a live
:class:`~genflow.core.engine.execution.Execution` for decisions. :meth:`Simulation.actions` lists what can happen next,
the first-in-first-out choice first; :meth:`Simulation.take` lets one of it happen. A run is therefore a list of
choices, and the same choices give the same run.

Time moves only when something needs it to: a timer fires, or a time-out strikes. Nothing may happen after the moment
at which another open item must have ended, so a timer of a day never wins against an activity that may take a minute.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from attrs import evolve

from genflow.core.errors import GenflowError
from genflow.core.model import decisions, events
from genflow.core.model.decisions import Decisions
from genflow.core.model.info import ExecutionIds
from genflow.core.model.wire_names import REPLY_MARKER, UPDATE_SIGNAL
from genflow.core.payloads.failures import encode_failure
from genflow.core.payloads.hooks import decode
from genflow.core.text import suspended_at
from genflow.swf.tasks.respond import Failed, Suspended
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.playing.calls import Call
from genflow.testing.explorer.playing.choices import ALREADY_RUNNING, CANCEL, EVICT, LOSE, REFUSABLE, REFUSALS
from genflow.testing.explorer.playing.ends import (
    CALM,
    ENDS,
    WORDS,
    WORKFLOW_ID,
    answer_event,
    called_by,
    ends_of,
    latest_end,
)
from genflow.testing.explorer.playing.items import DECIDE, Action, Item
from genflow.testing.explorer.playing.service_model import DUE, ServiceModel
from genflow.testing.explorer.playing.undoing import SagaLog
from genflow.testing.explorer.playing.watching import WORK, WatchedExecution
from genflow.testing.tester.stub_runner import play

__all__ = ['Simulation']

START = datetime(2000, 1, 1, tzinfo=timezone.utc)
MAX_RESPONSE = 100
"""Decisions of one response (SWF's quota)."""

USUAL_LIMIT = 420
"""Seconds after which an activity times out whose limits are not known: the default of genflow's decorator."""

MAX_SELF_SIGNALS = 50

MISTAKES = frozenset({'AttributeError', 'NameError', 'UnboundLocalError', 'TypeError', 'RecursionError'})
"""What an update raises that has a mistake; others are its answer to whoever asks for what cannot be done."""


def _first_run(_: str, previous: ExecutionIds) -> ExecutionIds:
    """The first of the runs; nothing here has a parent."""
    return ExecutionIds(previous.workflow_id, 'run-1')


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
        timed_out: The names of the types of which a call has timed out.
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
        self._past_events = 0
        self.time = 0.0
        self.signals = {name: tuple(texts) for name, texts in setup.signals.items()}
        self.extra = list(setup.extra)
        self.sent_to_itself: set[str] = set()
        self._self_signals = 0
        self._faulty: set[str] = set()
        self.timed_out: set[str] = set()
        self._names: Counter[str] = Counter()
        super().__init__()
        self._start(setup.input, None)

    def begin(self) -> None:
        super().begin()
        self.call_of: dict[int, str] = {}
        self.all_sent = True
        self._place_of: dict[int, int] = {}
        self._is_cancel_unseen = False
        self._evicted = False
        self._prepared = False
        self._refused: str | None = None
        self._during: Action | None = None
        self._answered = self._seen = self._recorded = 0
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
    def total(self) -> int:
        """How many events all runs have."""
        return self._past_events + len(self.events)

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

    def unseen(self) -> list[Any]:
        """The events since the last decision began that the next one will tell the code of."""
        return [event for event in self.events[self._answered :] if type(event) in DUE] if self.is_due else []

    def is_faulty(self, item: Item) -> bool:
        """Whether something went wrong with the call of an item already."""
        return item.call in self._faulty

    def call_at(self, ref: int) -> Call | None:
        """The call of an open item of the current run."""
        place = self._place_of.get(ref)
        return None if place is None else self.calls[place]

    def decisions_of_calls(self) -> dict[int, int]:
        """By the identity of each call of the current run, the decision that made it."""
        made = {event.id: event.decision_id for event in self.events if hasattr(event, 'decision_id')}
        return {id(self.calls[place]): made[ref] for ref, place in self._place_of.items() if ref in made}

    @property
    def fired(self) -> int:
        """How many timers have fired."""
        return sum(step.outcome == 'fired' for step in self.steps)

    def saga_log(self, run: int) -> SagaLog:
        """What was noted of the sagas of one run, counted from 1."""
        return self._past_logs[run - 1] if run <= len(self._past_logs) else self.live.log

    def stub_of(self, item: Item) -> tuple[Any] | None:
        """The stub of an open call, in a tuple; nothing where it has none."""
        double = called_by(self.setup, item).double
        return (double.stub,) if double is not None and double.is_stubbed else None

    def parameters(self, call: Call) -> list[str]:
        """The names of the positional parameters of what was called, as far as its code is known."""
        return self.setup.parameters.get((call.kind, call.name), [])

    def close(self) -> None:
        """Closes the generators; nobody looks at the execution any more."""
        self.live.discard()

    def catch_up(self) -> bool:
        """Brings a new execution to where the last decision left the one before; whether the code follows its history.

        The last decision is made again. Where its answer is another one, such as one with a new value of a side effect,
        what was recorded of it is replayed as well.
        """
        self.live = self.execution()
        if self._answered == 0:
            return True
        try:
            self._seen = self._answered
            if self.live.advance(self.events[: self._seen]) != self._response and not self._evicted:
                self.live.discard()
                self.live = self.execution()
                self._seen = self._recorded
                self.live.advance(self.events[: self._seen])
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
            return self._happenings(allowance)
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
            yield from (action for action in REFUSALS if REFUSABLE[action.name].kind in self.setup.kinds)

    def _happenings(self, allowance: int) -> list[Action]:
        """What happens at SWF, in the order of first in first out: work, then signals, then time."""
        items = list(self.open.values())
        horizon = min([min(item.limit, item.due) for item in items], default=math.inf)
        found: list[Action] = []
        passing: list[Action] = []
        for item in items:
            if item.kind == 'timer':
                if item.due <= horizon:
                    passing += ends_of(self.setup, item).free
            elif not item.silent:
                found += self._outcomes(item, horizon, allowance)
            elif item.limit <= horizon < math.inf:
                passing.append(Action('end', item.label, 'timed out', '', 0, item.ref))
        if self.signals:
            found += self._signals(allowance)
        found += passing
        if allowance:
            found += self._extra()
        return found

    def _extra(self) -> Iterator[Action]:
        yield from (Action('signal', name, 'extra', '', 1) for name in self.extra)
        if self.setup.faults and self.cancel_at is None:
            yield CANCEL

    def _signals(self, allowance: int) -> Iterator[Action]:
        variants = self.setup.variants if allowance else {}
        for name, texts in self.signals.items():
            if texts:
                yield Action('signal', name)
                yield from (Action('signal', name, f'with {text}', '', 1) for text in variants.get(name, ()))

    def _outcomes(self, item: Item, horizon: float, allowance: int) -> Sequence[Action]:
        ends = ends_of(self.setup, item)
        found = ends.free if item.call in self._faulty else ends.within(allowance)
        if item.limit <= horizon:
            return found
        return [action for action in found if not action.outcome.startswith('timed out')]

    # applying an action

    def take(self, action: Action) -> None:
        """Lets one of :meth:`actions` happen."""
        self.steps.append(action)
        self.spent += action.cost
        if action.outcome not in CALM:
            self.has_failures = True
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
        self._is_cancel_unseen = True
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
        cls, members = ENDS[word]
        if error:
            members = dict(zip(('reason', 'details'), self._raised(item, error), strict=True))
        elif outcome == 'completed':
            members = {'result': called_by(self.setup, item).nothing}
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
        double = called_by(self.setup, item).double
        classes = getattr(double.proxy.options, 'raises', ()) if double is not None else ()
        cls = next(cls for cls in classes if cls.__name__ == name)
        return encode_failure(cls('explored'), 'Traceback: explored')

    def _perform(self, item: Item, *, lost: bool) -> None:
        """A stub does its work; its answer arrives, or is lost because the time-out came first."""
        double = called_by(self.setup, item).double
        assert double is not None  # noqa: S101 - only what has a stub is performed
        outcome, stand = play(double, item.input, None)
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
        cls, members = answer_event(outcome)
        self._settled(item, WORDS[cls])
        self.settle(item, cls, **members)
        self._happened(item.kind, item.name, item.input, WORDS[cls], str(sorted(members.items())))

    def _settled(self, item: Item, outcome: str) -> None:
        if outcome == 'timed out':
            self.timed_out.add(item.name)
        place = self._place_of.get(item.ref)
        if place is not None:
            self.calls[place] = self.calls[place].over(outcome, len(self.calls))

    # decisions

    def decide(self, action: Action) -> None:
        during, self._during = self._during, None
        self.is_due = self._prepared = False
        started = self.add(events.DecisionStarted, time=self._now())
        if self._evicted:
            self._drop()
        waiting = self._waiting_for_more_than_a_cancel() if self._is_cancel_unseen else []
        page, self._seen = self.events[self._seen :], len(self.events)
        try:
            answer = self.live.advance(page)
        except GenflowError as error:
            self.error = error
            return
        if self.setup.always is not None:
            self._always(self.setup.always)
        if self._is_cancel_unseen:
            self._is_cancel_unseen = False
            self.cancel_at = len(self.calls)
            self.moved_by_cancel |= any(branch.awaiting is not task for branch, task in waiting)
        if during is not None:
            _TAKE[during.verb](self, during)
        self._answered = started.id
        refused, self._refused = self._refused, None
        self._response = response = answer or Decisions()
        self.all_sent = len(response.all) <= MAX_RESPONSE
        self.record_response(response.first_chunk(MAX_RESPONSE), started, _Refusing(self, refused))
        self._recorded = len(self.events)

    def _drop(self) -> None:
        """The worker has dropped the execution from its cache, so the next decision replays it."""
        self._evicted = False
        self.warnings += self.live.warnings
        self.live.discard()
        self.live = self.execution()
        self._seen = 0

    def _waiting_for_more_than_a_cancel(self) -> list[tuple[Any, Any]]:
        """Each branch with what it waits for, if the next decision tells the code of a cancellation and nothing else.

        Nothing where the code has not begun, or the execution has just been dropped, so that it begins anew.
        """
        root = self.live.root
        unseen = [event for event in self.events[self._answered :] if type(event) in DUE]
        if len(unseen) > 1 or root is None or root.generator is None:
            return []
        return [(branch, branch.awaiting) for branch in self.live.branches.values()]

    def _always(self, always: Callable[[Any], Any]) -> None:
        """Holds the workflow against the invariant that is to be true after every decision."""
        workflow = self.live.workflow
        if workflow is None or self.violation is not None:
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
        self._past_events += len(self.events)
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

    def _happened(self, *what: Any) -> None:
        text = '\0'.join(map(str, what))  # sums of hashes of tuples collide where two of them swap a member
        self.digest = (self.digest + hash(text)) & 0xFFFFFFFFFFFFFFFF

    def opened(self, item: Item, decision: Any) -> None:
        self._names[item.name] += 1
        item.label = f'{item.name}#{self._names[item.name]}'
        number = item.attempt.partition('.')[0]
        item.call = self.call_of[item.ref] = f'{len(self.past)}/{number}'
        if item.kind == 'timer':
            item.due = self.time + decision.seconds
        elif item.kind == 'activity':
            item.limit = self.time + latest_end(decision, called_by(self.setup, item).spec)
        is_again, is_canceled = item.name in self.timed_out, self.cancel_at is not None
        self._happened('open', item.kind, item.name, item.input, is_again, is_canceled)
        if item.kind in WORK:
            made = Call(
                item.kind, item.name, called_by(self.setup, item).attribute, item.input, number, len(self.past) + 1
            )
            self._place_of[item.ref] = len(self.calls)
            self.calls.append(made)

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


class _Refusing:
    """Refuses the first decision of a kind, once, and a child of which one is open already."""

    def __init__(self, run: Simulation, name: str | None) -> None:
        self._run = run
        self._refusal = None if name is None else REFUSABLE[name]

    def __call__(self, decision: Any) -> str | None:
        if type(decision) is decisions.StartChild and self._run.open_item('child', decision.workflow_id) is not None:
            self._run.started_twice = decision.workflow_id
            return ALREADY_RUNNING
        refusal = self._refusal
        if refusal is None or refusal.decision is not type(decision):
            return None
        self._refusal = None
        return refusal.cause


_TAKE: dict[str, Callable[[Simulation, Action], None]] = {
    'decide': Simulation.decide,
    'end': Simulation.end,
    'signal': Simulation.signal,
    'cancel': Simulation.cancel,
    'evict': Simulation.evict,
    'lose': Simulation.lose,
    'refuse': Simulation.refuse,
}
