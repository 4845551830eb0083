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

from collections.abc import Iterable, Sequence
from random import Random
from types import FrameType
from typing import Any

from genflow.core.authoring.queries import answer
from genflow.core.authoring.workflow import Workflow, bind
from genflow.core.calls.arguments import Arguments
from genflow.core.calls.call import Call, RetryableCall
from genflow.core.engine.close import Closing
from genflow.core.engine.deadlock import check_stalled
from genflow.core.engine.history import Reader, RecordedDecision
from genflow.core.engine.markers import Markers
from genflow.core.engine.replay import match
from genflow.core.engine.retries import RetryLog, markers_of
from genflow.core.engine.state import OWN_CLOSE, SUGGESTED_RESTART, State
from genflow.core.engine.suggested_restart import SuggestedRestart
from genflow.core.engine.throttling import Backoff, BackoffTimer
from genflow.core.engine.updates import UpdateBox
from genflow.core.errors import (
    DefinitionError,
    HistoryError,
    NotDecidedYet,
    YieldError,
)
from genflow.core.model import decisions, events
from genflow.core.model.decisions import Decisions
from genflow.core.model.info import Info, Origins
from genflow.core.model.refusals import NOT_PERMITTED, is_backpressure, refused_engine
from genflow.core.model.registry import WorkflowSpec
from genflow.core.model.restart import Restart
from genflow.core.model.wire_names import BACKLOG_MARKER, CARRYOVER_MARKER, UPDATE_SIGNAL, WAKE_TIMER_PREFIX
from genflow.core.payloads.envelopes import opened, opened_input
from genflow.core.payloads.fitting import check_fit
from genflow.core.payloads.hooks import excerpt
from genflow.core.protocols import current_loop
from genflow.core.tasks.branch import Root, begin_run
from genflow.core.tasks.nested import find_tasks
from genflow.core.tasks.signals import Mailbox
from genflow.core.tasks.task import OPEN, Task
from genflow.core.text import Location

__all__ = ['Execution']

OF_THE_ENGINE = (
    '_backoff',
    '_closing',
    '_reader',
    '_retries',
    '_signaled',
    '_suggested_restart',
    'cancellations',
    'close_decision',
    'conditions',
    'decision',
    'deferred',
    'ignored',
    'mailboxes',
    'markers',
    'outbox',
    'pending_close',
    'recent',
    'refs',
    'refusals',
    'root',
    'stopping',
    'unretrieved',
)
"""What only the engine asks an execution for, and the code of a workflow object that outlives it never does."""


class Execution(State):
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
        origins: Looks up the first run of a chain of restarts and the root of a child; without it, the code gets the
            previous run and the parent.
    """

    __slots__ = (
        '_backoff',
        '_closing',
        '_making_branches',
        '_reader',
        '_reported_durations',
        '_retries',
        '_signaled',
        '_suggested_restart',
    )

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
        origins: Origins | None = None,
    ) -> None:
        made = spec if isinstance(spec, WorkflowSpec) else WorkflowSpec(spec, spec.__name__, '1')
        super().__init__(spec=made, markers=Markers(seed if seed is not None else run_id))
        self.owner = self
        self.base = Info(workflow_id=workflow_id or '', run_id=run_id or '', domain=domain, origins=self.origin)
        self.origins = origins
        self.input_mismatch = input_mismatch
        self.shows_payloads = shows_payloads
        self.passing = passing
        self._reader = Reader()
        self._retries = RetryLog(self)
        self._backoff = Backoff(self)
        self._closing = Closing(self, self._backoff)
        is_offered = made.cls.restart_when_suggested is not Workflow.restart_when_suggested  # type: ignore[attr-defined]
        self._suggested_restart = SuggestedRestart(self, self._closing, is_offered)
        self._reported_durations: set[Location | None] = set()
        self._signaled: dict[Mailbox, None] = {}
        self._making_branches: Sequence[str] = ()

    # public methods

    @property
    def answered(self) -> int:
        """The id of the DecisionTaskStarted whose decision was given last; 0 before the first."""
        return self._reader.answered

    def advance(self, found: Iterable[events.Event], *, to_end: bool = False) -> Decisions | None:
        """Applies a history, or the part of it that begins at the decision answered last.

        Args:
            found: The events.
            to_end: None will follow. A completion that SWF refused just before the end is then compared as well,
                unless a signal came, so that it does not count.

        Returns:
            The answer to the decision task with which the events end; ``None`` where they end with none.

        Raises:
            NondeterminismError: The code does not follow the history.
            WorkflowStalled: The execution is open and waits for nothing.
            HistoryError: The events do not fit together, or a payload cannot be read.
        """
        token = current_loop.set(self)
        try:
            for decision in self._reader.read(found, to_end=to_end):
                if not decision.known:
                    self._run(decision)
                match(self, decision.output or ())
            if self._reader.ended is not None:
                self.closed = True
            if self._reader.live is None:
                return None
            self._run(self._reader.live)
            return self._answer()
        finally:
            current_loop.reset(token)

    def close(self) -> None:
        """Closes every branch, on this thread; what runs then decides nothing and says nothing."""
        for branch in list(self.live):
            branch.close()
        self.live.clear()
        self.queue.clear()

    def discard(self) -> None:
        """Closes an execution that nobody will look at any more, and takes it apart.

        The engine, the code and its tasks refer to each other in circles. Taken apart, they are freed here and now;
        otherwise the garbage collector would have to find them, which costs more than a tenth of a short execution.
        """
        self.close()
        for name in self._making_branches:
            vars(self.workflow).pop(name, None)  # a call finds it on the class
        for name in OF_THE_ENGINE:
            if hasattr(self, name):
                delattr(self, name)
        self.workflow, self._making_branches = None, ()

    def query(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Calls a ``@query`` method; what it asks of the workflow's proxies comes to nothing.

        Raises:
            NotDecidedYet: The execution has not made its first decision.
            AttributeError: The workflow has no such query.
        """
        if self.workflow is None:
            raise NotDecidedYet('the execution has not made its first decision yet, so there is nothing to query')
        with self.silence():
            return answer(self.workflow, name, args, kwargs)

    # one decision

    def _run(self, decision: RecordedDecision) -> None:
        self.decision = decision
        self.replaying = decision.output is not None
        self.time = decision.started.time
        self.started_id = decision.started.id
        self.context = None
        if self._suggested_restart.is_offered or self.restart_proposed:
            self._suggested_restart.begin()
        self.markers.decision, self.markers.made = decision, []
        if decision.output:
            self.markers.check(decision.output)
        if self._reader.signaled:
            self._announce_signals(decision.input)
        if self.outbox.backlog['timer']:
            self.outbox.fill('timer')
        if self.refusals or self._backoff.level:
            self._apply_refusals()
        for event in decision.input:
            self._apply(event)
        output = decision.output
        self.close_decision = (
            self._close()
            if self.pending_close is not None
            or self.interrupted
            or self._suggested_restart.is_offered
            or (output and type(output[0]) is events.MarkerRecorded)
            else None
        )
        if self._retries.decided:
            self._retries.note_dropped()

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

    def _close(self) -> decisions.Decision | None:
        if self.pending_close is not None or self.interrupted:
            self._closing.unwind()
        if self.pending_close is not None:
            return self._closing.decision()
        return self._suggested_restart.decision()

    def _apply_refusals(self) -> None:
        """What SWF refused of the last answer comes before what happened meanwhile."""
        refusals, self.refusals = self.refusals, []
        self._backoff.begin_decision([event for _, event in refusals] + (self.decision.input if self.decision else []))
        for entry, event in refusals:
            if entry is OWN_CLOSE:
                self._closing.refused(event)
            elif entry is SUGGESTED_RESTART:
                self._suggested_restart.refused(event)
            elif isinstance(entry, BackoffTimer):
                self._backoff.refused(event)
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
        if self.root is not None and self.root.state != OPEN and self.pending_close is None:
            self._closing.conclude(self.root)
            self.settle_all()  # for those that wait for what the end cancels

    def _answer(self) -> Decisions:
        batch = self.outbox.batch()
        markers = list(self.markers.made)
        if batch.without_slot:
            markers += markers_of(BACKLOG_MARKER, batch.without_slot)
        found = [*markers, *batch.decisions]
        wake = decisions.StartTimer(f'{WAKE_TIMER_PREFIX}{self.started_id}', 0)
        if self.close_decision is not None:
            found.append(self.close_decision)
        elif batch.frees_slots or (UPDATE_SIGNAL in self.mailboxes and self._close_waits_for_replies()):
            found.append(wake)
        elif not batch.has_work:
            check_stalled(self)
        later = markers_of(CARRYOVER_MARKER, batch.further_attempts) if batch.further_attempts else []
        return Decisions(tuple(found), self.context, len(markers), wake, tuple(later))

    def _close_waits_for_replies(self) -> bool:
        """Whether a close is due, and only the replies to updates have to be sent first."""
        if self.pending_close is not None:
            return self._closing.waits_for_replies
        return self._suggested_restart.is_offered and self._suggested_restart.waits_for_replies

    # events

    def begin(self, event: events.WorkflowStarted) -> None:
        """Makes the workflow object, reads its input and calls ``run``."""
        self.base = self.base.begun(event)
        workflow = self.workflow = self.spec.cls()
        self._making_branches = bind(workflow, self)
        root = self.root = Root(self)
        try:
            args, kwargs = self._opened_arguments(workflow, event.input)
            check_fit(workflow.run, args, kwargs)
        except Exception as error:  # noqa: BLE001 - an input that cannot be used fails the workflow
            root.raised(error)
            return
        begin_run(root, workflow.run, args, kwargs)

    def _opened_arguments(self, workflow: Workflow, text: str | None) -> tuple[Any, Any]:
        """The arguments in the input of event 1; what else is in its envelopes is kept."""
        try:
            self.headers, text = opened(text)
            own, signals = opened_input(text)
            for name, value in signals:
                self.mailbox(name).push(value)
            return ((), {}) if own is None else workflow._deserialize_arguments(own)
        except Exception as error:
            raise ValueError(
                f'the input of {self.spec.name} cannot be read: {excerpt(text or "")} ({error})'
            ) from error

    def signaled(self, event: events.Signaled) -> None:
        self.has_run = True
        self.mailbox(event.name).arrive(event)

    def cancel_requested(self, event: events.CancelRequested) -> None:
        self._closing.interrupt()

    def refuse(self, call: Call, event: Any) -> None:
        """SWF did not do what a call asked for: later, or never."""
        if is_backpressure(event.cause) and call.state == OPEN:
            self._backoff.throttle(call)
        elif event.cause == NOT_PERMITTED and isinstance(call, RetryableCall) and call.waits_for(event):
            raise refused_engine(event)
        else:
            call.refused(event)

    # calls of the workflow

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
            call.check_duration(self._reported_durations)
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
                f'{what} is used outside the thread that runs {self.info}; a workflow runs on one thread. Use it in '
                'run or in one of its branches, and use an activity for work that needs threads'
            )

    def open_arguments(self, call: Call) -> list[Task[Any]]:
        """The tasks among the arguments of a call that waits for them."""
        return find_tasks(call.arguments()) if call.number in self.deferred else []

    def tries_again(self, call: RetryableCall, error: BaseException, *, uncounted: bool) -> bool:
        """Whether a failed attempt is followed by another one."""
        return call not in self.stopping and self._retries.again(call, error, uncounted=uncounted)

    def jitter(self, call: RetryableCall) -> Random:
        return self.markers.jitter(call.attempt_id)

    def mailbox(self, name: str) -> Mailbox:
        box = self.mailboxes.get(name)
        if box is None:
            box = self.mailboxes[name] = UpdateBox(self) if name == UPDATE_SIGNAL else Mailbox()
        return box

    def describes(self, what: str) -> None:
        if self.in_side_effect:
            raise DefinitionError(
                f'the function given to side_effect() uses {what} of the workflow; it must not use the workflow, '
                'because replay does not call it. Get the value before side_effect(), and use it in the function'
            )
        if self.reads is not None:
            raise YieldError(f'{self.reads()} uses {what}; it may only read the state of the workflow')
        if self._suggested_restart.asking:
            raise YieldError(f'restart_when_suggested uses {what}; it must not, because it is not replayed')

    def restarts(self, restart: Restart) -> None:
        if not self.silent:
            self.check_thread('restart()')
            self.restart = restart
            self.restarting = True
        elif not self._suggested_restart.asking:
            self.describes('restart()')


_APPLY: dict[type, Any] = {
    events.WorkflowStarted: Execution.begin,
    events.Signaled: Execution.signaled,
    events.CancelRequested: Execution.cancel_requested,
}
