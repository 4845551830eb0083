"""The state of one execution: what its history and its code have brought about so far.

Everything in :mod:`genflow.core.engine` works on this one value: the reader's decisions change it, and the answer to a
decision task is read from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from genflow.core.authoring.workflow import Workflow
from genflow.core.calls.call import Call, Ignored
from genflow.core.calls.retryable import RetryTimer
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

    def __init__(self, spec: WorkflowSpec, seed: str | None) -> None:
        super().__init__(seed)
        self.spec = spec
        self.workflow: Workflow | None = None
        self.root: Root | None = None
        self.headers: dict[str, str] = {}
        self.input_mismatch = 'warn'
        self.shows_payloads = True
        self.decision: RecordedDecision | None = None
        self.closed = False
        self.refs: dict[int, Any] = {}
        self.ignored = Ignored()
        self.outbox = Outbox()
        self.deferred: dict[int, Call] = {}
        self.stopping: set[Call] = set()
        self.count = 0
        self.mailboxes: dict[str, Mailbox] = {}
        self.recent: deque[tuple[Any, Any]] = deque(maxlen=3)
        self.refusals: list[tuple[Any, Any]] = []
        self.restart: Restart | None = None
        self.pending_close: PendingClose | None = None
        self.close_decision: decisions.Decision | None = None
        self.close_waits = False
        self.restart_proposed = False
        self.interrupted = False

    @property
    def info(self) -> Info:
        if self.base.history_length != self.started_id:
            self.base = attrs.evolve(self.base, history_length=self.started_id)
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
