"""An execution over time: bars that separate queue wait from run time, and a scale that shortens idle time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from attrs import frozen

from genflow.insight.operations import Attempt, Operation
from genflow.insight.view import ExecutionView

__all__ = ['Bar', 'Break', 'Scale', 'Segment', 'bars', 'moments', 'scale_of']

QUEUED, RUNNING, WAITING = 'queued', 'running', 'waiting'
"""The kinds of segments: waiting for a worker; being worked on; waiting for a timer or the next attempt."""

WORKS = frozenset({'activity', 'lambda', 'child'})


@frozen
class Segment:
    """A part of a bar.

    Attributes:
        kind: ``queued``, ``running`` or ``waiting``.
        state: The state of the attempt that it belongs to; it decides the colour.
        attempt: The number of the attempt.
    """

    start: datetime
    end: datetime
    kind: str
    state: str
    attempt: int


@frozen
class Bar:
    """An operation over time."""

    operation: Operation
    segments: tuple[Segment, ...]

    @property
    def start(self) -> datetime:
        return self.segments[0].start

    @property
    def end(self) -> datetime:
        return self.segments[-1].end


def bars(view: ExecutionView, now: datetime) -> list[Bar]:
    """The operations of an execution over time, without the engine's own timers, in history order.

    Args:
        view: The execution.
        now: Where open bars end; a closed execution's end at its close.
    """
    end = view.close.at if view.close is not None else now
    return [Bar(one, tuple(_segments(one, max(end, one.last.scheduled_at)))) for one in view.visible_operations()]


def _segments(operation: Operation, now: datetime) -> Iterator[Segment]:
    last: datetime | None = None
    for attempt in operation.attempts:
        if last is not None and attempt.scheduled_at > last:
            yield Segment(last, attempt.scheduled_at, WAITING, attempt.state, attempt.number)
        yield from _attempt(operation, attempt, now)
        last = attempt.ended_at
    if operation.pause is not None and last is not None:
        yield Segment(last, max(last, now), WAITING, 'retrying', operation.last.number + 1)


def _attempt(operation: Operation, attempt: Attempt, now: datetime) -> Iterator[Segment]:
    end = attempt.ended_at or now
    if operation.kind not in WORKS:
        yield Segment(attempt.scheduled_at, end, WAITING, attempt.state, attempt.number)
        return
    started = attempt.started_at or end
    if started > attempt.scheduled_at or attempt.started_at is None:
        yield Segment(attempt.scheduled_at, started, QUEUED, attempt.state, attempt.number)
    if attempt.started_at is not None:
        yield Segment(started, end, RUNNING, attempt.state, attempt.number)


@frozen
class Break:
    """Idle time that a scale leaves out.

    Attributes:
        start: Where it begins, from 0 to 1.
        end: Where it ends.
        seconds: How long it was.
    """

    start: float
    end: float
    seconds: float


@frozen
class Scale:
    """Moments as places from 0 to 1, idle time made short.

    Attributes:
        moments: Where the scale changes, in order.
        places: Their places.
        breaks: The idle times.
    """

    moments: tuple[datetime, ...]
    places: tuple[float, ...]
    breaks: tuple[Break, ...]

    def place(self, when: datetime) -> float:
        """From 0 to 1; what lies outside is at the edge."""
        index = bisect_right(self.moments, when)
        if index == 0:
            return 0.0
        if index == len(self.moments):
            return 1.0
        before, after = self.moments[index - 1], self.moments[index]
        share = (when - before) / (after - before)
        return self.places[index - 1] + share * (self.places[index] - self.places[index - 1])


SHORT = 60.0
"""Seconds of idle time that are never shortened: an execution of a minute is drawn to scale."""

IDLE = 4.0
"""Idle time is shortened if it is so many times as long as all the time that is drawn to scale."""

BREAK = 0.08
"""The length of a shortened idle time, as a fraction of the time that is drawn to scale."""


def scale_of(drawn: Iterable[Bar], start: datetime, end: datetime) -> Scale:
    """The scale for some bars: time in which no activity, child or Lambda function runs is shortened."""
    changes: dict[datetime, int] = {start: 0, end: 0}
    for bar in drawn:
        for segment in bar.segments:
            works = segment.kind == RUNNING
            for when, step in ((segment.start, works), (segment.end, -works)):
                if start <= when <= end:
                    changes[when] = changes.get(when, 0) + step
    return _scale(sorted(changes.items()))


def _scale(changes: list[tuple[datetime, int]]) -> Scale:
    gaps: list[tuple[float, bool]] = []
    running = 0
    for (when, step), (after, _) in pairwise(changes):
        running += step
        gaps.append(((after - when).total_seconds(), running > 0))
    kept = _kept(gaps)
    drawn = sum(seconds for seconds, works in gaps if works or seconds <= kept)
    widths = [seconds if works or seconds <= kept else BREAK * drawn for seconds, works in gaps]
    total = sum(widths) or 1.0
    places, breaks = [0.0], []
    for width, (seconds, _) in zip(widths, gaps, strict=True):
        places.append(places[-1] + width / total)
        if width != seconds:
            breaks.append(Break(places[-2], places[-1], seconds))
    return Scale(tuple(when for when, _ in changes), tuple(places), tuple(breaks))


def _kept(gaps: list[tuple[float, bool]]) -> float:
    """The longest idle time that is drawn to scale."""
    drawn = sum(seconds for seconds, works in gaps if works)
    longest = 0.0
    for seconds in sorted(seconds for seconds, works in gaps if not works):
        if drawn and seconds > max(SHORT, IDLE * drawn):
            break
        drawn += seconds
        longest = seconds
    return longest


def moments(scale: Scale, count: int) -> Iterator[tuple[float, timedelta]]:
    """Some places of a scale, with the time since its start."""
    for index in range(count + 1):
        place = index / count
        at = bisect_right(scale.places, place)
        if at >= len(scale.places):
            yield 1.0, scale.moments[-1] - scale.moments[0]
            continue
        before, after = scale.places[at - 1], scale.places[at]
        share = (place - before) / (after - before) if after > before else 0.0
        when = scale.moments[at - 1] + share * (scale.moments[at] - scale.moments[at - 1])
        yield place, when - scale.moments[0]
