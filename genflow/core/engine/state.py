"""The state of one execution: what its history and its code have brought about so far.

Everything in :mod:`genflow.core.engine` works on this one value: the reader's decisions change it, and the answer to a
decision task is read from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from attrs import define, evolve, field

from genflow.core.authoring.workflow import Workflow
from genflow.core.calls.call import Call, Ignored, RetryTimer
from genflow.core.engine.history import RecordedDecision
from genflow.core.engine.outbox import Outbox
from genflow.core.engine.pending_close import Fail, PendingClose
from genflow.core.engine.workflow_values import WorkflowValues
from genflow.core.model import decisions
from genflow.core.model.info import Info
from genflow.core.model.registry import WorkflowSpec
from genflow.core.model.restart import Restart
from genflow.core.tasks.branch import Root
from genflow.core.tasks.signals import Mailbox

__all__ = ['OWN_CLOSE', 'SUGGESTED_RESTART', 'State']

OWN_CLOSE, SUGGESTED_RESTART = 'the close of run', 'the suggested restart'
"""What a refused close was."""


@define(eq=False, repr=False)
class State(WorkflowValues):
    """What the modules of the engine share.

    Attributes:
        spec: The workflow's class and type.
        workflow: The workflow object, once the execution has begun.
        root: The branch of its ``run``.
        headers: What came along with the input of event 1.
        input_mismatch: What a payload that differs from the recorded one is: ``'warn'`` or ``'error'``.
        shows_payloads: Whether reports quote inputs and results.
        decision: The decision that is being replayed or made.
        closed: The history shows the end.
        refs: What the history may still speak of, by the id of the event that scheduled it.
        ignored: Stands there for what nobody waits for.
        outbox: What the code asked for and the history has not recorded.
        deferred: Calls whose arguments or children are not there yet, by number.
        stopping: Calls that were asked to stop and are waited for.
        count: How many calls have been made.
        mailboxes: The unread inputs of each signal.
        recent: The last events that agreed with what the code asks for.
        refusals: What SWF refused of the last answer (the entry, :data:`OWN_CLOSE` or :data:`SUGGESTED_RESTART`), each
            with the event.
        restart: What ``self.restart(...)`` gave; it has to be returned.
        pending_close: What ``run`` ended with; ``None`` while it runs.
        close_decision: The close that the current decision asks for.
        close_waits: SWF refused a close for its rate; it is sent again after the back-off.
        restart_proposed: The current decision is the restart that ``restart_when_suggested`` proposes.
        interrupted: A cancellation was requested.
    """

    spec: WorkflowSpec
    workflow: Workflow | None = field(default=None, init=False)
    root: Root | None = field(default=None, init=False)
    headers: dict[str, str] = field(factory=dict, init=False)
    input_mismatch: str = field(default='warn', init=False)
    shows_payloads: bool = field(default=True, init=False)
    decision: RecordedDecision | None = field(default=None, init=False)
    closed: bool = field(default=False, init=False)
    refs: dict[int, Any] = field(factory=dict, init=False)
    ignored: Ignored = field(factory=Ignored, init=False)
    outbox: Outbox = field(factory=Outbox, init=False)
    deferred: dict[int, Call] = field(factory=dict, init=False)
    stopping: set[Call] = field(factory=set, init=False)
    count: int = field(default=0, init=False)
    mailboxes: dict[str, Mailbox] = field(factory=dict, init=False)
    recent: deque[tuple[Any, Any]] = field(factory=partial(deque, maxlen=3), init=False)
    refusals: list[tuple[Any, Any]] = field(factory=list, init=False)
    restart: Restart | None = field(default=None, init=False)
    pending_close: PendingClose | None = field(default=None, init=False)
    close_decision: decisions.Decision | None = field(default=None, init=False)
    close_waits: bool = field(default=False, init=False)
    restart_proposed: bool = field(default=False, init=False)
    interrupted: bool = field(default=False, init=False)

    @property
    def info(self) -> Info:
        if self.base.history_length != self.started_id:
            self.base = evolve(self.base, history_length=self.started_id)
        return self.base

    @property
    def output(self) -> Sequence[Any]:
        """What the decision being replayed recorded; nothing of a live one."""
        return () if self.decision is None else self.decision.output or ()

    @property
    def abandons(self) -> bool:
        """Whether it closes as failed as soon as it can, whatever calls are open."""
        return isinstance(self.pending_close, Fail) and not self.live

    def calls(self) -> Iterator[Call]:
        """The calls of which something is still to come: from SWF, or to be sent to it; one may come twice."""
        for known in (*self.refs.values(), *self.outbox.all(), *self.deferred.values()):
            call = known.call if isinstance(known, RetryTimer) else known
            if isinstance(call, Call):
                yield call

    def mailbox(self, name: str) -> Mailbox:
        raise NotImplementedError

    def unread(self) -> list[tuple[str, int]]:
        return [(name, len(box.items)) for name, box in self.mailboxes.items() if box.items]

    def settle_all(self) -> None:
        """Runs callbacks until every branch stands still."""
        raise NotImplementedError
