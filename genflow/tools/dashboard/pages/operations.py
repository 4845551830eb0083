"""The tree and timeline of an execution: one row an operation, with its bar, its attempts and its payloads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from attrs import frozen
from markupsafe import Markup

from genflow.core.payloads.envelopes import input_of
from genflow.insight import Attempt, Operation, duration, elapsed
from genflow.insight.timeline import Bar, Scale, moments
from genflow.tools.dashboard.events.event_rows import mark_of, pretty
from genflow.tools.pictures.svg import tone_of
from genflow.tools.pictures.tree import Node, Picture
from genflow.tools.text.printable import printable

__all__ = ['Line', 'OperationRow', 'axis', 'rows_of']

SHORTEST = 0.6
"""Percent of the width that every bar has, however short it was."""

MOST = 200
"""Operations that are shown unless somebody asks for all: the open ones, those that failed, and the latest."""

TICKS = 5

EXACT = timedelta(seconds=10)

_FRAME = re.compile(r'  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>.+)')
_MACHINERY = ('/genflow/core/', '/genflow/swf/', '/genflow/tools/', '/genflow/local/', '/lib/python', '/site-packages/')


@frozen
class Line:
    """A frame of a traceback that is the user's own."""

    place: str
    source: str


@frozen
class OperationRow:
    """One row.

    Attributes:
        operation: The operation.
        depth: How deep it stands in the tree.
        child: Workflow id and run id where it is a child that has started.
        mark: Of its state.
        tone: Of its state.
        bar: An SVG.
        waited: For a worker.
        ran: In words.
        reason: Why it failed.
        attempts: Each with its words.
        payloads: Titles and texts.
        lines: Of its traceback, the user's own.
        is_own: Whether its events are in the history that is shown.
    """

    operation: Operation
    depth: int
    child: tuple[str, str] | None
    mark: str
    tone: str
    bar: Markup
    waited: str
    ran: str
    reason: str
    attempts: tuple[tuple[Attempt, str], ...]
    payloads: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]

    @property
    def is_own(self) -> bool:
        return self.depth == 0


def rows_of(picture: Picture, *, everything: bool = False) -> tuple[list[OperationRow], int]:
    """The rows of a picture, and how many were left out."""
    nodes = list(picture.walk())
    shown = nodes if everything or len(nodes) <= MOST else list(important(nodes))
    return [_row(node, picture) for node in shown], len(nodes) - len(shown)


def important(nodes: list[Node]) -> Iterator[Node]:
    """The latest of them, and before these what is open or has failed."""
    older = [node for node in nodes[:-MOST] if node.bar.operation.is_open or node.bar.operation.has_failed]
    yield from older[-MOST:]
    yield from nodes[-MOST:]


def _row(node: Node, picture: Picture) -> OperationRow:
    operation, last = node.bar.operation, node.bar.operation.last
    now = picture.view.close.at if picture.view.close is not None else picture.now
    is_child = operation.kind == 'child' and last.run_id is not None
    return OperationRow(
        operation,
        node.depth,
        (last.key, last.run_id or '') if is_child else None,
        mark_of(operation.state),
        tone_of(operation.state),
        bar_svg(node.bar, picture.scale),
        duration(last.waited(now)) if operation.kind in ('activity', 'child', 'lambda') else '',
        duration(last.ran(now)) if last.started_at else '',
        last.failed_because() if last.has_failed else '',
        tuple((one, attempt_words(one, now)) for one in operation.attempts),
        tuple(payloads(operation)),
        tuple(own_lines(last.failure.traceback or '')),
    )


def attempt_words(attempt: Attempt, now: datetime) -> str:
    """An attempt on one line."""
    words = [attempt.failed_because() if attempt.has_failed else attempt.state]
    words.append(f'waited {duration(attempt.waited(now))}')
    if attempt.started_at is not None:
        words.append(f'ran {duration(attempt.ran(now))}')
    if attempt.worker:
        words.append(f'by {attempt.worker}')
    if attempt.task_list:
        words.append(f'on the list {attempt.task_list}')
    return ', '.join(words)


def payloads(operation: Operation) -> Iterator[tuple[str, str]]:
    """What it was given and what came of it, with titles."""
    last = operation.last
    failure = last.failure if last.has_failed else None
    found = (
        ('Input', input_of(last.attributes.get('input'))),
        ('Result', last.result),
        ('Details', failure.details if failure else last.details),
        ('Traceback', failure.traceback if failure else None),
    )
    for title, text in found:
        if text and text != 'null':
            yield title, printable(pretty(text) if title != 'Traceback' else text)


def own_lines(traceback: str) -> Iterator[Line]:
    """The frames of a traceback that are the user's own, the innermost first."""
    texts = traceback.splitlines()
    found = []
    for place, text in enumerate(texts):
        frame = _FRAME.match(text)
        if frame is not None and not any(part in frame['file'] for part in _MACHINERY):
            source = texts[place + 1].strip() if place + 1 < len(texts) else ''
            where = f'{Path(frame["file"]).name}:{frame["line"]} in {frame["function"]}'
            found.append(Line(printable(where), printable(source)))
    yield from found[::-1]


def bar_svg(bar: Bar, scale: Scale) -> Markup:
    """An operation over time; coordinates are percent, so that it is as wide as the page has room."""
    parts = ''.join(_segments(bar, scale))
    return Markup(f'<svg class="bar" aria-hidden="true" focusable="false">{parts}</svg>')  # noqa: S704 - numbers only


def _segments(bar: Bar, scale: Scale) -> Iterator[str]:
    for segment in bar.segments:
        start, end = 100 * scale.place(segment.start), 100 * scale.place(segment.end)
        width = max(SHORTEST, end - start)
        x = min(start, 100 - width)
        y, height = (14, 72) if segment.kind != 'waiting' else (43, 14)
        yield (
            f'<rect class="{tone_of(segment.state)} {segment.kind}" x="{x:.2f}%" width="{width:.2f}%" y="{y}%" '
            f'height="{height}%" rx="2"/>'
        )


def axis(scale: Scale) -> Markup:
    """The axis above the bars: times since the start, and where idle time was left out."""
    parts = [f'<rect class="gap" x="{100 * one.start:.2f}%" width="{100 * (one.end - one.start):.2f}%" height="100%"/>'
             for one in scale.breaks]  # fmt: skip
    parts += [
        f'<text x="{100 * place:.2f}%" y="72%" text-anchor="{anchor(place)}">{ticked(since)}</text>'
        for place, since in ticks(scale)
    ]
    return Markup(f'<svg class="axis" aria-hidden="true" focusable="false">{"".join(parts)}</svg>')  # noqa: S704 - as above


def anchor(place: float) -> str:
    return 'start' if place == 0 else 'end' if place == 1 else 'middle'


def ticked(since: timedelta) -> str:
    """A time on the axis; of a short execution to the hundredth of a second."""
    return duration(since) if since < EXACT else elapsed(since)


def ticks(scale: Scale) -> Iterable[tuple[float, timedelta]]:
    return moments(scale, TICKS - 1) if len(scale.moments) > 1 else ()
