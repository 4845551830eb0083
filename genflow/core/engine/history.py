"""Cuts what a history says into decisions.

The unit of a workflow's progress is the decision that completed. Its *input* are the events up to its
DecisionTaskStarted that no earlier decision had; its *output* are the events that carry the id of its
DecisionTaskCompleted. What SWF recorded between Started and Completed was not seen by that decision and is input of
the next. An attempt that timed out has no output, and its input joins the next one too.

A completion that SWF refused because something new had come counts as *not made* if that was a signal: ``run``
returned without having seen it. Its input joins the next decision that counts, as that of an attempt that timed out
does, and nobody looks at what it recorded: markers, and the refusal. Whether it counts is known when the next decision
begins that counts itself. The reader holds it back until then.

The reader keeps its place between calls, so that a page which begins at the decision last answered continues where
the whole history would have led.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

from genflow.core.errors import HistoryError
from genflow.core.model import events
from genflow.core.model.refusals import UNHANDLED

__all__ = ['Reader', 'RecordedDecision']

OUTPUTS = frozenset(
    {
        events.ActivityScheduled,
        events.ChildInitiated,
        events.TimerStarted,
        events.LambdaScheduled,
        events.SignalInitiated,
        events.CancelInitiated,
        events.ActivityCancelRequested,
        events.TimerCanceled,
        events.MarkerRecorded,
        events.Refused,
        events.CloseRefused,
        events.Closed,
    }
)
"""What a decision records. ``Closed`` is one of them unless nobody decided it."""


@define
class RecordedDecision:
    """One decision that counts.

    Attributes:
        started: Its DecisionTaskStarted.
        input: The events that it sees, in order.
        output: What it recorded, in order; ``None`` where it is still to be made.
        known: The input was given before, in the same process; only the output is new.
    """

    started: events.DecisionStarted
    input: list[Any]
    output: list[Any] | None
    known: bool = False


@define(eq=False)
class Reader:
    """Reads events in order and gives the decisions that they tell of and that count.

    Attributes:
        answered: The id of the DecisionTaskStarted whose decision was given last; 0 before the first.
        ended: How the execution was closed by somebody else (terminated, timed out), or ``None``.
        signaled: A signal has come.
        live: The decision that is still to be made, once all was read; ``None`` where the events end with none.
    """

    answered: int = field(default=0, init=False)
    ended: events.Closed | None = field(default=None, init=False)
    signaled: bool = field(default=False, init=False)
    live: RecordedDecision | None = field(default=None, init=False)
    _last: int = field(default=0, init=False)
    _waiting: list[Any] = field(factory=list, init=False)
    _started: events.DecisionStarted | None = field(default=None, init=False)
    _boundary: int = field(default=0, init=False)
    _completed: int = field(default=0, init=False)
    _output: list[Any] | None = field(default=None, init=False)
    _known: bool = field(default=False, init=False)
    _held_back: list[RecordedDecision] = field(factory=list, init=False)

    def read(self, found: Iterable[Any], *, to_end: bool = False) -> Iterator[RecordedDecision]:  # noqa: C901 - the hot loop, in one piece
        """Gives each decision that counts and was completed; the one that is still to be made is :attr:`live` then.

        Args:
            found: The events.
            to_end: None will follow, so that a decision that is held back counts unless a signal has come.

        Raises:
            HistoryError: The events are out of order or do not fit together, or a decision that was answered from
                here counts as not made: the execution has to be begun again from event 1.
        """
        self.live = None
        last, output = self._last, self._output
        for event in found:
            kind = type(event)
            if event.id <= last:
                self._check_repeated(event, last)
                continue
            last = event.id
            if kind in OUTPUTS:
                if output is None or event.decision_id != self._completed:
                    self._end_outside(event)
                    break
                output.append(event)
                continue
            if output is not None:
                decision = self._whole_decision()
                if self._held_back or (output and type(output[-1]) is events.CloseRefused):
                    yield from self._counting(decision)
                else:
                    yield decision
                output = None
            if kind is events.DecisionStarted:
                self._decision_started(event)
            elif kind is events.DecisionCompleted:
                if self._started is None or self._started.id != event.started_id:
                    raise HistoryError(
                        f'event {last} completes the decision task of event {event.started_id}, not the open one'
                    )
                self._completed = last
                output = self._output = []
            elif kind is events.DecisionTimedOut:
                self._decision_timed_out(event)
            else:
                self.signaled = self.signaled or kind is events.Signaled
                self._waiting.append(event)
        self._last = last
        yield from self._rest(to_end=to_end)

    def _rest(self, *, to_end: bool) -> list[RecordedDecision]:
        """The completed decisions that no other event follows; the one that is still to be made is kept."""
        found = [] if self._output is None else self._counting(self._whole_decision())
        if self.ended is not None:
            found += self._counting_at_end()
        elif self._started is not None and not self._known and self._last == self._started.id:
            found += self._counting(self._live())
        elif to_end:
            found += self._counting_at_end()
        if found and found[-1].output is None:
            self.live = found.pop()
        return found

    def _check_repeated(self, event: Any, last: int) -> None:
        """Only the start of the decision that was answered from here may come twice: with it, the next page begins."""
        if not self._known or event.id != self.answered or type(event) is not events.DecisionStarted:
            raise HistoryError(f'event {event.id} ({type(event).__name__}) comes after event {last}')

    def _counting(self, decision: RecordedDecision) -> list[RecordedDecision]:
        """The decisions that are known to count, now that one more has been read."""
        if decision.output and _is_refused_completion(decision.output[-1]):
            self._held_back.append(decision)
            return []
        return self._released(decision) if self._held_back else [decision]

    def _counting_at_end(self) -> list[RecordedDecision]:
        """Those of the decisions held back that count where no other decision follows."""
        if not self._held_back:
            return []
        return self._released(RecordedDecision(self._held_back[-1].started, self._waiting, None))[:-1]

    def _released(self, last: RecordedDecision) -> list[RecordedDecision]:
        """The decisions held back that count, and ``last``; the input of each other one joins the one after it."""
        held_back, self._held_back = self._held_back, []
        counting = [last]
        for decision in reversed(held_back):
            following = counting[-1]
            if not any(type(event) is events.Signaled for event in following.input):
                counting.append(decision)
                continue
            if decision.known:
                raise HistoryError(
                    f'the decision of event {decision.started.id} completed the execution and was answered by this '
                    'process, '
                    'but SWF refused it because a signal came; replay the history from event 1'
                )
            following.input = decision.input + following.input
        return counting[::-1]

    def _whole_decision(self) -> RecordedDecision:
        """A decision whose output is whole."""
        started, output = self._started, self._output
        if started is None or output is None:
            raise HistoryError('a decision task completes that was never started')
        waiting, boundary = self._waiting, self._boundary
        if boundary == len(waiting):
            decision = RecordedDecision(started, waiting, output, self._known)
            self._waiting = []
        else:
            decision = RecordedDecision(started, waiting[:boundary], output, self._known)
            self._waiting = waiting[boundary:]
        self._started = self._output = None
        self._known = False
        self.answered = started.id
        return decision

    def _live(self) -> RecordedDecision:
        """The decision that is to be made now."""
        started = self._started
        if started is None:
            raise HistoryError('no decision task is started')
        decision = RecordedDecision(started, self._waiting, None)
        self._waiting = []
        self._boundary = 0
        self._known = True
        self.answered = started.id
        return decision

    def _end_outside(self, event: Any) -> None:
        """An output event that is part of no decision: it has to be the end that somebody else made."""
        if isinstance(event, events.Closed) and event.decision_id is None:
            self.ended = event
            return
        raise HistoryError(
            f'event {event.id} ({type(event).__name__}) belongs to the decision completed in event '
            f'{event.decision_id}, which does not precede it'
        )

    def _decision_started(self, event: events.DecisionStarted) -> None:
        if self._known:
            raise HistoryError(
                f'the decision started in event {self.answered} was answered by this process, but the history does not '
                f'show its completion before event {event.id}'
            )
        self._started = event
        self._boundary = len(self._waiting)

    def _decision_timed_out(self, event: events.DecisionTimedOut) -> None:
        if self._known:
            raise HistoryError(f'the decision answered by this process timed out in event {event.id}')
        self._started = None


def _is_refused_completion(event: Any) -> bool:
    return isinstance(event, events.CloseRefused) and event.how == 'completed' and event.cause == UNHANDLED
