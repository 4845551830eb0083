"""The restart of a workflow whose history has grown long, where it says how: ``restart_when_suggested``.

*Theory of operation.* The question is put at the end of a live decision, when every branch stands still, and only if
nothing of earlier decisions is open: then the workflow object is all there is to be handed over. What the code asked
for in this decision is not sent, so that the next run may ask for it again.

The answer is a proposal, since SWF takes no close beside something that happened meanwhile. Until it is accepted
nothing changes: the generators stay where they stand, what was asked for is set aside, and comes back where the
restart is refused. So a cancellation or a signal that came in between finds a workflow that knows nothing of it.

A marker, ``genflow.restart``, tells a replay that the restart was not ``run``'s: the hook is asked live only. It may
be added, changed and taken away while executions run.
"""

from __future__ import annotations

from types import GeneratorType
from typing import Any

from attrs import define, field

from genflow.core.calls.call import Call
from genflow.core.calls.child import ChildCall
from genflow.core.calls.timer import Limit
from genflow.core.engine.close import Closing
from genflow.core.engine.state import State
from genflow.core.engine.updates import has_replies
from genflow.core.errors import DefinitionError
from genflow.core.model import decisions, events
from genflow.core.model.refusals import UNHANDLED, is_backpressure
from genflow.core.model.restart import Restart
from genflow.core.model.wire_names import SUGGESTED_RESTART_MARKER
from genflow.core.payloads.hooks import MAX_PAYLOAD, encode
from genflow.core.payloads.wire_text import units
from genflow.core.payloads.writing import too_large
from genflow.core.tasks.task import OPEN
from genflow.core.text import place, raised_at, short

__all__ = ['SuggestedRestart']

HELD_FROM = 20_000
"""Events from which a hook that is wrong ends the decision, so that the execution is held until the code is mended:
SWF would terminate it at 25,000."""

REST = 100
"""Events for which the hook is not asked again after SWF refused its restart."""


@define(eq=False)
class SuggestedRestart:
    """The restart that one execution is offered.

    Attributes:
        is_offered: Whether the workflow has the hook.
        asking: The hook runs just now.
    """

    _state: State
    _closing: Closing
    is_offered: bool
    asking: bool = field(default=False, init=False)
    _old: int = field(default=0, init=False)
    _read: int = field(default=0, init=False)
    _not_before: int = field(default=0, init=False)
    _reported: str = field(default='', init=False)

    def begin(self) -> None:
        """A new decision; what was asked for in one whose restart SWF did not take was not sent, and counts as new."""
        if self._state.restart_proposed:
            self._state.restart_proposed = False
        elif self.is_offered:
            self._draw_line()

    def _draw_line(self) -> None:
        """What was asked for and read up to here belongs to earlier decisions."""
        self._old = self._state.count
        self._read = self._signals_read()

    def _signals_read(self) -> int:
        return sum(box.read for box in self._state.mailboxes.values())

    def decision(self) -> decisions.ContinueAsNew | None:
        """The restart that this decision is, instead of all that the code asked for; mostly ``None``.

        Raises:
            DefinitionError: The hook is wrong, and the history is so long that it has to be mended first.
        """
        state = self._state
        if state.replaying:
            marker = self._recorded()
            if marker is None:
                return None
            restart = decisions.ContinueAsNew()  # its details are not compared
        else:
            found = self._offered()
            if found is None:
                return None
            restart = found
            marker = decisions.RecordMarker(SUGGESTED_RESTART_MARKER, encode({'events': state.started_id}))
        state.restart_proposed = True
        state.markers.made.append(marker)
        state.outbox.stash()
        return restart

    def _recorded(self) -> decisions.RecordMarker | None:
        """The marker among those that the decision being replayed recorded ahead of everything else."""
        for event in self._state.output:
            if type(event) is not events.MarkerRecorded:
                break
            if event.name == SUGGESTED_RESTART_MARKER:
                return decisions.RecordMarker(SUGGESTED_RESTART_MARKER, event.details)
        return None

    @property
    def waits_for_replies(self) -> bool:
        """Whether the hook is about to be asked, and only the replies to updates have to be sent first."""
        state = self._state
        return not state.replaying and state.info.restart_suggested and has_replies(state)

    def refused(self, event: events.CloseRefused) -> None:
        """SWF did not accept the restart: the execution goes on, and the hook is asked again some time."""
        if event.cause == UNHANDLED:
            return
        self._draw_line()
        self._not_before = event.id + REST
        if not is_backpressure(event.cause) and not self._state.replaying:
            self._report(f'SWF refused the restart of restart_when_suggested with {event.cause}')

    # when to call the hook

    def _offered(self) -> decisions.ContinueAsNew | None:
        state = self._state
        if not self.is_offered or not state.info.restart_suggested or state.started_id < self._not_before:
            return None
        if state.interrupted or state.restarting or len(state.live) > 1 or not self._at_rest():
            return None
        left = self._closing.failure_left()
        if left is None:
            return self._asked()
        where = getattr(left, 'where', None)
        self._report(
            f'a restart would lose the failure of {left.label}{f" (called at {place(where)})" if where else ""}, '
            'which nothing has retrieved yet: yield the task, or give its proxy error_handling=True'
        )
        return None

    def _at_rest(self) -> bool:
        """Whether nothing of earlier decisions is open, and no signal's value would be lost with what is not sent."""
        if has_replies(self._state):
            return False
        asks = False
        for call in self._state.calls():
            if self._is_under_way(call):
                return False
            asks = asks or (call.state == OPEN and (call.number or 0) > self._old and not isinstance(call, Limit))
        return not asks or self._signals_read() == self._read

    def _is_under_way(self, call: Call) -> bool:
        if isinstance(call, ChildCall):
            if call.state != OPEN:
                return call.lingering
            if call.detached and call.run_id is not None and not call.wanted():
                return False
        return call.state == OPEN and (call.number or 0) <= self._old

    # calling the hook

    def _asked(self) -> decisions.ContinueAsNew | None:
        state = self._state
        workflow: Any = state.workflow
        self.asking = True
        try:
            with state.silence():
                answer = workflow.restart_when_suggested()
        except state.passing:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the hook raises, the execution does not end by it
            self._complain(f'restart_when_suggested raised {self._shown(error)} at {raised_at(error)}', error)
            return None
        finally:
            self.asking = False
        return None if answer is None else self._restart(answer)

    def _shown(self, error: BaseException) -> str:
        """An error as a report may show it: its text may quote payloads."""
        return short(error, 200) if self._state.shows_payloads else type(error).__qualname__

    def _restart(self, answer: Any) -> decisions.ContinueAsNew | None:
        if not isinstance(answer, Restart):
            if isinstance(answer, GeneratorType):
                answer.close()
            self._complain(
                f'restart_when_suggested returned a {type(answer).__name__}; it must return self.restart(...), or '
                'None for '
                '"not now"'
            )
            return None
        found = self._closing.continuing(answer).decision()
        text = found.input or ''
        if units(text) > MAX_PAYLOAD:
            what = 'the restart together with its unread signals'
            way_out = 'restart with a reference to the data, or read the signals first'
            self._complain(str(too_large(what, text, way_out)))
            return None
        return found

    # errors of the hook

    def _complain(self, what: str, error: BaseException | None = None) -> None:
        """Reports a hook that is wrong; near the end of the history, insists.

        Raises:
            DefinitionError: The history has :data:`HELD_FROM` events.
        """
        if self._state.started_id >= HELD_FROM:
            raise DefinitionError(self._with_execution(what)) from error
        self._report(what)

    def _report(self, what: str) -> None:
        """Says once why an execution that should restart goes on."""
        if what != self._reported:
            self._reported = what
            self._state.report(
                f'{self._with_execution(what)}. The execution continues without a restart; SWF terminates it at 25,000 '
                'events.'
            )

    def _with_execution(self, what: str) -> str:
        return f'{self._state.info}, {self._state.started_id:,} events: {what}'
