"""Pictures for the terminal: lines of styled pieces, drawn by rich on a terminal and as plain text in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from genflow.insight import Attempt, ExecutionView, Operation, clock_time, duration, elapsed
from genflow.insight.timeline import Bar, Segment, moments
from genflow.tools.pictures.tree import Node, Picture

__all__ = ['MARKS', 'Line', 'page', 'plain', 'timeline']

Line = list[tuple[str, str]]
"""Pieces of one line: text and style."""

MARKS = {
    'completed': ('✓', 'green'),
    'fired': ('✓', 'green'),
    'delivered': ('✓', 'green'),
    'failed': ('✗', 'bold red'),
    'refused': ('!', 'bold red'),
    'timed out': ('◔', 'bold red'),
    'terminated': ('■', 'red'),
    'canceled': ('⊘', 'yellow'),
    'retrying': ('↻', 'yellow'),
    'started': ('●', 'cyan'),
    'scheduled': ('○', 'blue'),
    'open': ('●', 'cyan'),
    'continued as new': ('→', 'green'),
}
"""The mark and the colour of each state; the marks alone distinguish the states."""

SHADES = {'queued': '░', 'running': '█', 'waiting': '─'}

DIM = 'dim'
LABEL = 0.34
"""The share of the width that labels may take."""

NARROW = 60
TIMES = 22
"""Width in columns of the times at the end of a line."""


def plain(lines: Iterable[Line]) -> str:
    return '\n'.join(''.join(text for text, _ in line).rstrip() for line in lines)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + '…'


def _mark(state: str) -> tuple[str, str]:
    return MARKS.get(state, ('·', ''))


# the page


def page(picture: Picture, width: int) -> Iterator[Line]:
    """Head, and the tree of operations with attempts and times."""
    yield from head(picture.view, picture.now, width)
    yield []
    shown = list(picture.walk())
    if not shown:
        yield [(picture.without_operations, DIM)]
        return
    times = TIMES if width >= NARROW else 0
    for node in picture.nodes:
        yield from _node(picture, node, '', width - times, times)


def head(view: ExecutionView, now: datetime, width: int) -> Iterator[Line]:
    """The execution, its state and the number of its operations."""
    mark, style = _mark(view.status)
    kind = f'  {view.name} {view.version}' if view.workflow_id else ''
    yield [
        (f'{mark} ', style),
        (_cut(view.title, width - 2), 'bold'),
        (_cut(kind, max(0, width - 2 - len(view.title))), ''),
    ]
    took = duration(view.age(now))
    yield [
        (
            _cut(f'  {view.status} {"for" if view.is_open else "after"} {took}, {view.last_event_id:,} events', width),
            style,
        )
    ]
    if view.run_id:
        yield [(_cut(f'  run {view.run_id}', width), DIM)]
    if view.started_at is not None:
        start = view.started_at.astimezone(now.tzinfo)
        until = f', until {clock_time(view.close.at, start)}' if view.close else ''
        yield [(_cut(f'  started {start:%Y-%m-%d %H:%M:%S %Z}{until} on {view.task_list}', width), DIM)]
    for text in (*_relatives(view), *_totals(view)):
        yield [(_cut(f'  {text}', width), DIM)]
    if view.close is not None and view.close.reason:
        yield [(_cut(f'  {view.close.reason.splitlines()[0]}', width), 'red')]
    if view.close is not None and view.close.result not in (None, 'null'):
        yield [(_cut(f'  result {view.close.result}', width), DIM)]


def _relatives(view: ExecutionView) -> Iterator[str]:
    if view.tags:
        yield f'tags {", ".join(view.tags)}'
    if view.parent is not None:
        yield f'child of {view.parent[0]}'
    if view.continued_from:
        yield f'continues run {view.continued_from}'
    if view.status_text:
        yield f'status {view.status_text}'


def _totals(view: ExecutionView) -> Iterator[str]:
    counts = view.counts()
    if counts:
        yield ', '.join(f'{count} {state}' for state, count in counts.most_common())


def _node(picture: Picture, node: Node, indent: str, width: int, times: int) -> Iterator[Line]:
    operation = node.bar.operation
    mark, style = _mark(operation.state)
    label = f'{indent}{mark} {operation.label}'
    note = _note(operation)
    text = _cut(label + (f'  {note}' if note else ''), width)
    yield [
        (text[: len(indent)], DIM),
        (text[len(indent) : len(indent) + 2], style),
        (text[len(indent) + 2 : len(label)], ''),
        (text[len(label) :].ljust(width - len(label)), style if operation.has_failed else DIM),
        (_times(operation, operation.last, picture.now)[:times], DIM),
    ]
    if len(operation.attempts) > 1 or operation.pause is not None:
        for attempt in operation.attempts:
            line = _attempt(attempt, indent + '    ', width)
            yield [*line, (_times(operation, attempt, picture.now)[:times], DIM)]
    for below in node.below:
        yield from _node(picture, below, f'{indent}  ', width, times)


def _attempt(attempt: Attempt, indent: str, width: int) -> Line:
    mark, style = _mark(attempt.state)
    worker = f' by {attempt.worker}' if attempt.worker else ''
    text = f'attempt {attempt.number} {attempt.failed_because() if attempt.has_failed else attempt.state}{worker}'
    shown = _cut(f'{indent}{mark} {text}', width).ljust(width)
    start = len(indent)
    return [(indent, ''), (shown[start : start + 2], style), (shown[start + 2 :], DIM)]


def _note(operation: Operation) -> str:
    """Remarks on an operation: attempts, worker, failure."""
    last = operation.last
    words = [operation.state] if operation.is_open or last.has_failed else []
    if len(operation.attempts) > 1:
        words.append(f'{len(operation.attempts)} attempts')
    if operation.has_failed and len(operation.attempts) == 1:
        words = [last.failed_because()]
    if last.is_open and last.worker:
        words.append(f'by {last.worker}')
    if operation.kind == 'child':
        words.append(last.key)
    return ', '.join(words)


def _times(operation: Operation, attempt: Attempt, now: datetime) -> str:
    """Queue wait and run time, right-aligned."""
    if operation.kind in ('activity', 'lambda', 'child'):
        ran = duration(attempt.ran(now)) if attempt.started_at is not None else '-'
        return f' {duration(attempt.waited(now)):>9} + {ran:>9}'
    return f' {duration(attempt.waited(now)):>9}'.ljust(TIMES)


# the timeline


def timeline(picture: Picture, width: int) -> Iterator[Line]:
    """One bar for each operation, as wide as the terminal."""
    yield from head(picture.view, picture.now, width)
    yield []
    nodes = list(picture.walk())
    if not nodes:
        yield [(picture.without_operations, DIM)]
        return
    narrow = width < NARROW
    labels = min(max(len(_label(node, narrow=narrow)) for node in nodes), max(12, int(width * LABEL)))
    took = 0 if narrow else 11
    room = max(10, width - labels - took - 2)
    yield _axis(picture, labels, room)
    for node in nodes:
        yield _bar(picture, node, labels, room, took)
    yield []
    legend = f'{SHADES["queued"]} waits for a worker  {SHADES["running"]} runs  {SHADES["waiting"]} timer or retry'
    yield [(_cut(legend, width), DIM)]
    if picture.scale.breaks:
        left_out = sum(one.seconds for one in picture.scale.breaks)
        yield [(_cut(f'┆ idle time, drawn short: {duration(left_out)} in all', width), DIM)]


def _label(node: Node, *, narrow: bool) -> str:
    operation = node.bar.operation
    mark, _ = _mark(operation.state)
    label = operation.label.removeprefix('activity ') if narrow else operation.label
    return f'{"  " * node.depth}{mark} {label}'


def _axis(picture: Picture, labels: int, room: int) -> Line:
    """The axis with the time since the start."""
    count = max(1, room // 16)
    cells = [' '] * (room + 1)
    for place, since in moments(picture.scale, count):
        if any(one.start < place < one.end for one in picture.scale.breaks):
            continue
        text = elapsed(since)
        at = min(round(place * (room - 1)), room - len(text))
        if place == 0 or all(cell == ' ' for cell in cells[max(0, at - 1) : at + len(text)]):
            cells[at : at + len(text)] = text
    return [(' ' * (labels + 1) + ''.join(cells)[:room], DIM)]


def _bar(picture: Picture, node: Node, labels: int, room: int, took: int) -> Line:
    operation = node.bar.operation
    _, style = _mark(operation.state)
    label = _cut(_label(node, narrow=not took), labels).ljust(labels)
    split = 2 * node.depth + 1
    line: Line = [(label[: split - 1], ''), (label[split - 1 : split], style), (f'{label[split:]} ', '')]
    line += _cells(picture, node.bar, room)
    if took:
        whole = node.bar.end - node.bar.start
        line.append((f' {duration(_rounded(whole)):>10}', DIM))
    return line


def _rounded(length: timedelta) -> float:
    return round(length.total_seconds(), 2)


def _cells(picture: Picture, bar: Bar, room: int) -> Iterator[tuple[str, str]]:
    """The drawn part of a bar: each segment at least one cell wide."""
    cells = [' '] * room
    styles = [''] * room
    for one in picture.scale.breaks:
        at = min(room - 1, int((one.start + one.end) / 2 * room))
        cells[at], styles[at] = '┆', DIM
    for segment in bar.segments:
        first = min(room - 1, int(picture.scale.place(segment.start) * room))
        last = max(first + 1, min(room, round(picture.scale.place(segment.end) * room)))
        for at in range(first, last):
            cells[at], styles[at] = SHADES[segment.kind], _style(segment)
    start = 0
    for at in range(1, room + 1):
        if at == room or styles[at] != styles[start]:
            yield ''.join(cells[start:at]), styles[start]
            start = at


def _style(segment: Segment) -> str:
    if segment.kind == 'waiting':
        return DIM
    return _mark(segment.state)[1].replace('bold ', '')
