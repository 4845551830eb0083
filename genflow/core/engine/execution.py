"""The stepping engine: one execution, driven by its events.

*Theory of operation.* The reader cuts the history into decisions. Each one is run in the same way whether it is
replayed or live: its input events are applied one by one, and after each the branches run until they stand still.
What the code asks for on the way lands in the outbox. Then a replayed decision holds the outbox against what the
history shows as its output, and a live one offers it as the answer. The answer is matched when the next piece of
history shows what became of it, so that a continuation from a kept execution and a replay from nothing are the same
steps in the same order.

What a replayed decision may not compute it reads from its own output: side effects, patches and seeds from the
markers, further attempts from what was scheduled.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from types import FrameType
from typing import Any

import attrs

from genflow.core.authoring.queries import answer
from genflow.core.authoring.workflow import Workflow
from genflow.core.calls.arguments import Arguments
from genflow.core.calls.call import Call, Ignored
from genflow.core.calls.outlasting import Outlasting
from genflow.core.calls.retryable import RetryableCall, RetryTimer
from genflow.core.engine.close import Closing
from genflow.core.engine.deadlock import check_stalled
from genflow.core.engine.history import Reader, RecordedDecision
from genflow.core.engine.outbox import Outbox
from genflow.core.engine.replay import NOT_PERMITTED, match, refused_engine
from genflow.core.engine.retries import RetryLog, markers_of
from genflow.core.engine.start import begin
from genflow.core.engine.suggested_restart import SuggestedRestart
from genflow.core.engine.throttling import Backoff, BackoffTimer
from genflow.core.engine.updates import UpdateBox
from genflow.core.engine.workflow_values import WorkflowValues
from genflow.core.errors import (
    DefinitionError,
    HistoryError,
    NotDecidedYet,
    YieldError,
)
from genflow.core.model import decisions, events
from genflow.core.model.decisions import Decisions
from genflow.core.model.info import Info
from genflow.core.model.refusals import is_backpressure
from genflow.core.model.registry import WorkflowSpec
from genflow.core.model.restart import Restart
from genflow.core.model.wire_names import BACKLOG_MARKER, CARRYOVER_MARKER, UPDATE_SIGNAL, WAKE_TIMER_PREFIX
from genflow.core.protocols import current_loop
from genflow.core.tasks.branch import Root
from genflow.core.tasks.nested import find_tasks
from genflow.core.tasks.signals import Mailbox
from genflow.core.tasks.task import OPEN, Task

__all__ = ['Execution']


class Execution(WorkflowValues):
    """One run of one workflow.

    Args:
        spec: The workflow's class and type.
        workflow_id: Stands in the ids of children; unknown where only a history is at hand.
        run_id: Likewise.
        domain: For ``info``.
        seed: Of the streams of chance; recorded with the first decision that uses them.
        input_mismatch: What a payload that differs from the recorded one is: a report (``'warn'``) or a
            :class:`NondeterminismError` (``'error'``).
        shows_payloads: Whether reports quote inputs and results; a worker, whose reports go into a log, does not.
        passing: Exceptions that leave the engine instead of failing the workflow that raises them: Ctrl-C, which on
            the thread of a worker is an exception like any other.

    Attributes:
        closed: The history shows the end.
        refs: What the history may still speak of, by the id of the event that scheduled it.
        outbox: What the code asked for and the history has not recorded.
        close_decision: The close that the current decision asks for.
        count: How many calls have been made.
        deferred: Calls whose arguments or children are not there yet, by number.
        stopping: Calls that were asked to stop and are waited for.
    """

    def __init__(
        self,
        spec: WorkflowSpec | type[Workflow],
        *,
        workflow_id: str | None = None,
        run_id: str | None = None,
        domain: str | None = None,
        seed: str | None = None,
        input_mismatch: str = 'warn',
        shows_payloads: bool = True,
        passing: tuple[type[BaseException], ...] = (KeyboardInterrupt,),
    ) -> None:
        super().__init__(seed if seed is not None else run_id)
        self.spec = spec if isinstance(spec, WorkflowSpec) else WorkflowSpec(spec, spec.__name__, '1')
        self.base = Info(workflow_id=workflow_id, run_id=run_id, domain=domain)
        self.input_mismatch = input_mismatch
        self.shows_payloads = shows_payloads
        self.passing = passing
        self.reader = Reader()
        self.outbox = Outbox()
        self.refs: dict[int, Any] = {}
        self.ignored = Ignored()
        self.deferred: dict[int, Call] = {}
        self.stopping: set[Call] = set()
        self.refusals: list[tuple[Any, Any]] = []
        self._tries = RetryLog(self)
        self.recent: deque[tuple[Any, Any]] = deque(maxlen=3)
        self.backoff = Backoff(self)
        self.close_decision: decisions.Decision | None = None
        self.closing = Closing(self)
        self.suggested_restart = SuggestedRestart(self)
        self._outlasting = Outlasting(self)
        self.closed = False
        self.workflow: Workflow | None = None
        self.root: Root | None = None
        self.mailboxes: dict[str, Mailbox] = {}
        self._signaled: dict[Mailbox, None] = {}
        self.count = 0
        self._turn: RecordedDecision | None = None

    # what a worker calls

    @property
    def answered(self) -> int:
        """The id of the DecisionTaskStarted whose decision was given last; 0 before the first."""
        return self.reader.answered

    def advance(self, found: Iterable[events.Event]) -> Decisions | None:
        """Applies a history, or the part of it that begins at the decision answered last.

        Returns:
            The answer to the decision task with which the events end; ``None`` where they end with none.

        Raises:
            NondeterminismError: The code does not follow the history.
            WorkflowStalled: The execution is open and waits for nothing.
            HistoryError: The events do not fit together, or a payload cannot be read.
        """
        token = current_loop.set(self)
        try:
            answer = None
            for turn in self.reader.read(found):
                answer = self._take(turn)
            if self.reader.ended is not None:
                self.closed = True
            return answer
        finally:
            current_loop.reset(token)

    def close(self) -> None:
        """Closes every branch, on this thread; what runs then decides nothing and says nothing."""
        for branch in list(self.live):
            branch.close()
        self.live.clear()
        self.queue.clear()

    def query(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Calls a ``@query`` method; what it asks of the workflow's proxies comes to nothing.

        Raises:
            NotDecidedYet: The execution has not made its first decision.
            AttributeError: The workflow has no such query.
        """
        if self.workflow is None:
            raise NotDecidedYet('the execution has not made its first decision yet, so there is nothing to ask')
        with self.silence():
            return answer(self.workflow, name, args, kwargs)

    @property
    def output(self) -> Sequence[Any]:
        """What the decision being replayed recorded; nothing of a live one."""
        return () if self._turn is None else self._turn.output or ()

    def calls(self) -> Iterator[Call]:
        """The calls of which something is still to come: from SWF, or to be sent to it; one may come twice."""
        for known in (*self.refs.values(), *self.outbox.all(), *self.deferred.values()):
            call = known.call if isinstance(known, RetryTimer) else known
            if isinstance(call, Call):
                yield call

    # one decision

    def _take(self, turn: RecordedDecision) -> Decisions | None:
        if not turn.known:
            self._run(turn)
        if turn.output is None:
            return self._answer()
        match(self, turn.output)
        return None

    def _run(self, turn: RecordedDecision) -> None:
        self._turn = turn
        self.replaying = turn.output is not None
        self.time = turn.started.time
        self.started_id = turn.started.id
        self.context = None
        if self.suggested_restart.concerned:
            self.suggested_restart.begin()
        self.markers.begin(turn)
        if self.reader.signaled:
            self._announce_signals(turn.input)
        if self.outbox.backlog['timer']:
            self.outbox.fill('timer')
        if self.refusals or self.backoff.level:
            self._apply_refusals()
        for event in turn.input:
            self._apply(event)
        self.close_decision = self._close(turn.output)
        if self._tries.decided:
            self._tries.note_dropped()

    def _announce_signals(self, input: list[Any]) -> None:
        self._signaled = {}
        for event in input:
            if type(event) is events.Signaled:
                box = self.mailbox(event.name)
                box.announce(event)
                self._signaled[box] = None

    def reveal_signals(self) -> None:
        for box in self._signaled:
            box.reveal()

    def _close(self, output: Sequence[Any] | None) -> decisions.Decision | None:
        if self.closing.unwinds:
            self.closing.unwind()
        if self.closing.pending_close is not None:
            return self.closing.decision()
        if self.suggested_restart.concerned or (output and type(output[0]) is events.MarkerRecorded):
            return self.suggested_restart.decision()
        return None

    def _apply_refusals(self) -> None:
        """What SWF refused of the last answer comes before what happened meanwhile."""
        refusals, self.refusals = self.refusals, []
        self.backoff.begin_turn([event for _, event in refusals] + (self._turn.input if self._turn else []))
        for entry, event in refusals:
            if isinstance(entry, (Closing, SuggestedRestart)):
                entry.refused(event)
            elif isinstance(entry, BackoffTimer):
                self.backoff.refused(event)
            elif isinstance(entry, Call):
                self.refuse(entry, event)
                self.settle_all()

    def _apply(self, event: Any) -> None:
        handler = _APPLY.get(type(event))
        if handler is not None:
            handler(self, event)
        else:
            ref = event.ref
            known = self.refs.get(ref)
            if known is None:
                raise HistoryError(
                    f'event {event.id} ({type(event).__name__}) refers to event {ref}, which is not open'
                )
            if known is self.ignored:
                del self.refs[ref]
            else:
                known.apply(event)
        self.settle_all()

    def settle_all(self) -> None:
        """Tells whoever waits, until every branch stands still."""
        queue = self.queue
        while True:
            while queue:
                queue.popleft().run_callbacks()
            if not self.restless or not self.goes_on():
                break
        if self.abort is not None:
            raise self.abort
        if self.root is not None and self.root.state != OPEN and self.closing.pending_close is None:
            self.closing.conclude(self.root)
            self.settle_all()  # what the end cancels is told to those that wait for it

    def _answer(self) -> Decisions:
        sent, open_blockers = self.outbox.decisions()
        markers = [*self.markers.made, *markers_of(BACKLOG_MARKER, open_blockers)]
        found = [*markers, *sent]
        wake = decisions.StartTimer(f'{WAKE_TIMER_PREFIX}{self.started_id}', 0)
        if self.close_decision is not None:
            found.append(self.close_decision)
        elif self.outbox.frees_slots(sent, open_blockers) or self.suggested_restart.waits_for_replies:
            found.append(wake)
        else:
            check_stalled(self)
        later = markers_of(CARRYOVER_MARKER, self.outbox.further_attempts())
        return Decisions(tuple(found), self.context, len(markers), wake, tuple(later))

    # events

    def signaled(self, event: events.Signaled) -> None:
        self.mailbox(event.name).arrive(event)

    def cancel_requested(self, event: events.CancelRequested) -> None:
        self.closing.interrupt()

    def refuse(self, call: Call, event: Any) -> None:
        """SWF did not do what a call asked for: later, or never."""
        if is_backpressure(event.cause) and call.state == OPEN:
            self.backoff.park(call)
        elif event.cause == NOT_PERMITTED and isinstance(call, RetryableCall) and call.waits_for(event):
            raise refused_engine(event)
        else:
            call.refused(event)

    # what the workflow asks for

    @property
    def info(self) -> Info:
        if self.base.history_length != self.started_id:
            self.base = attrs.evolve(self.base, history_length=self.started_id)
        return self.base

    def schedule(self, call: Call, frame: FrameType) -> None:
        if self.silent:
            self.describes(call.label)
            return
        if self.restarting:
            raise YieldError(f'{call.label} is called after restart(); write `return self.restart(...)`')
        call.where = (frame.f_code, frame.f_lasti)
        if current_loop.get() is not self:
            self.check_thread(call.label)
        tasks = None if call.is_plain() else find_tasks(call.arguments())
        if not tasks:
            call.prepare()
        self.count += 1
        call.number = self.count
        if call.keeps_open:
            self.open_blockers += 1
        if not self.replaying:
            self._outlasting.check(call)
        if tasks:
            Arguments(call, tasks)
        else:
            call.begin()

    def check_thread(self, what: str) -> None:
        """Refuses what another thread asks for while the execution is not advanced there.

        Raises:
            YieldError: Another thread asks.
        """
        if current_loop.get() is not self:
            raise YieldError(
                f'{what} is asked for outside of the thread that runs {self.info}; a workflow runs on one thread. Ask '
                'for it in run or in one of its branches, and use an activity for work that needs threads'
            )

    def open_arguments(self, call: Call) -> list[Task[Any]]:
        """The tasks among the arguments of a call that waits for them."""
        return find_tasks(call.arguments()) if call.number in self.deferred else []

    def tries_again(self, call: RetryableCall, error: BaseException, *, uncounted: bool) -> bool:
        """Whether a failed attempt is followed by another one."""
        return call not in self.stopping and self._tries.again(call, error, uncounted=uncounted)

    def jitter(self, call: RetryableCall) -> Random:
        return self.markers.jitter(call.attempt_id)

    def mailbox(self, name: str) -> Mailbox:
        box = self.mailboxes.get(name)
        if box is None:
            box = self.mailboxes[name] = UpdateBox(self) if name == UPDATE_SIGNAL else Mailbox()
        return box

    def unread(self) -> list[tuple[str, int]]:
        return [(name, len(box.items)) for name, box in self.mailboxes.items() if box.items]

    def describes(self, what: str) -> None:
        if self.in_side_effect:
            raise DefinitionError(
                f'the function given to side_effect() asks the workflow for {what}; it must ask for nothing, because '
                'it is not called at replay. Ask before side_effect(), and use the value in the function'
            )
        if self.reads is not None:
            raise YieldError(f'{self.reads} asks for {what}; it may only read what the workflow knows already')
        if self.suggested_restart.asking:
            raise YieldError(f'restart_when_suggested asks for {what}; it must ask for nothing: it is not replayed')

    def restarts(self, restart: Restart) -> None:
        if not self.silent:
            self.closing.restart = restart
            self.restarting = True


_APPLY: dict[type, Any] = {
    events.WorkflowStarted: begin,
    events.Signaled: Execution.signaled,
    events.CancelRequested: Execution.cancel_requested,
}
