"""An execution as an SVG image: one bar for each operation, readable by people and by screen readers, light and dark.

The image has no script and no external resources. Colours follow the reader's colour scheme; each state also has a
mark, and each bar has a description in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from genflow.insight import Operation, clock_time, duration, elapsed
from genflow.insight.timeline import Bar, moments
from genflow.tools.pictures.terminal import MARKS
from genflow.tools.pictures.tree import Node, Picture
from genflow.tools.text.printable import printable

__all__ = ['COLOURS', 'STYLE', 'described', 'svg', 'tone_of']

ROW = 26
BAR = 14
HEAD = 78
BARE_HEAD = 34
FOOT = 46
LABELS = 270
TIMES = 90
SHORTEST = 3
LABEL_LENGTH = 40
TICK = 130

COLOURS = {
    'good': ('#2e7d4f', '#62c98b'),
    'bad': ('#b3392c', '#f08a7c'),
    'warn': ('#9a6a00', '#e0b04c'),
    'busy': ('#1f6aa5', '#6bb3ec'),
    'idle': ('#8a8f98', '#868d98'),
}
"""The colour of each tone, on light and on dark."""

TONES = {
    'green': 'good',
    'bold red': 'bad',
    'red': 'bad',
    'yellow': 'warn',
    'cyan': 'busy',
    'blue': 'busy',
}

STYLE = (
    """
svg.timeline { font: 13px/1.4 system-ui, sans-serif; background: #fff; color: #1c2128; }
svg.timeline text { fill: currentColor; }
svg.timeline .small { font-size: 11.5px; fill: #5b636e; }
svg.timeline .title { font-size: 17px; font-weight: 600; }
svg.timeline .grid { stroke: #e3e6ea; }
svg.timeline .stripe { fill: #f6f7f9; }
svg.timeline .break { stroke: #9aa1ab; stroke-dasharray: 2 3; }
"""
    + ''.join(f'svg.timeline .{tone} {{ fill: {light}; }}\n' for tone, (light, _) in COLOURS.items())
    + """
svg.timeline .queued { opacity: .35; }
svg.timeline .waiting { opacity: .6; }
@media (prefers-color-scheme: dark) {
svg.timeline { background: #15181d; color: #e4e7eb; }
svg.timeline .small { fill: #a0a8b4; }
svg.timeline .grid { stroke: #2b3038; }
svg.timeline .stripe { fill: #1b1f26; }
"""
    + ''.join(f'svg.timeline .{tone} {{ fill: {dark}; }}\n' for tone, (_, dark) in COLOURS.items())
    + '}\n'
)
"""The style sheet of the image, which the HTML page uses too."""


def tone_of(state: str) -> str:
    """The tone of a state."""
    return TONES.get(MARKS.get(state, ('', ''))[1], 'idle')


def svg(picture: Picture, width: int = 1100, *, titled: bool = True) -> str:
    """The image.

    Args:
        picture: The execution, laid out.
        width: In pixels; the image scales.
        titled: Whether the image names its execution; ``False`` if the page around it does.
    """
    nodes = list(picture.walk())
    head = HEAD if titled else BARE_HEAD
    height = head + ROW * max(1, len(nodes)) + FOOT
    view = picture.view
    title = f'{view.title}: {view.name} {view.version}, {view.status}'
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="timeline" role="img" {size} aria-labelledby="t d">',
        f'<title id="t">{_text(title)}</title>',
        f'<desc id="d">{_text(described(picture))}</desc>',
        f'<style>{STYLE}</style>',
        *(_head(picture) if titled else ()),
        *_stripes(len(nodes), head, width),
        *_axis(picture, width, head, head + ROW * max(1, len(nodes))),
    ]
    for place, node in enumerate(nodes):
        parts += _row(picture, node, head + ROW * place, width)
    if not nodes:
        parts.append(f'<text class="small" x="16" y="{head + 18}">{picture.without_operations}</text>')
    parts += [*_legend(picture, height), '</svg>']
    return '\n'.join(parts) + '\n'


def described(picture: Picture) -> str:
    """The picture in one sentence."""
    view = picture.view
    counts = ', '.join(f'{count} {state}' for state, count in view.counts().most_common()) or 'none yet'
    return f'The execution is {view.status} after {duration(view.age(picture.now))}. Operations: {counts}.'


def _text(text: str) -> str:
    return escape(printable(text))


def _head(picture: Picture) -> Iterator[str]:
    view = picture.view
    mark = MARKS.get(view.status, ('', ''))[0]
    yield (
        f'<text class="title" x="16" y="28"><tspan class="{tone_of(view.status)}">{mark}</tspan> '
        f'{_text(_cut(view.title, 70))}</text>'
    )
    started = '' if view.started_at is None else f', started {view.started_at:%Y-%m-%d %H:%M:%S} UTC'
    yield (
        f'<text class="small" x="16" y="47">{_text(f"{view.name} {view.version}, {view.status}")} '
        f'{"for" if view.is_open else "after"} {duration(view.age(picture.now))}{started}</text>'
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + '…'


def _x(place: float, width: int) -> float:
    return LABELS + place * (width - LABELS - TIMES)


def _axis(picture: Picture, width: int, top: int, bottom: int) -> Iterator[str]:
    count = max(1, (width - LABELS - TIMES) // TICK)
    free = 0.0
    for place, since in moments(picture.scale, count):
        if any(one.start < place < one.end for one in picture.scale.breaks):
            continue
        x = _x(place, width)
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6}" y2="{bottom}"/>'
        if x >= free:
            yield f'<text class="small" x="{x:.1f}" y="{top - 11}" text-anchor="middle">{elapsed(since)}</text>'
            free = x + TICK * 0.6
    for one in picture.scale.breaks:
        x = _x((one.start + one.end) / 2, width)
        yield (
            f'<line class="break" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6}" y2="{bottom}">'
            f'<title>{duration(one.seconds)} idle, drawn short</title></line>'
        )


def _stripes(count: int, top: int, width: int) -> Iterator[str]:
    for place in range(1, count, 2):
        yield f'<rect class="stripe" x="0" y="{top + ROW * place}" width="{width}" height="{ROW}"/>'


def _row(picture: Picture, node: Node, top: int, width: int) -> Iterator[str]:
    operation = node.bar.operation
    tone = tone_of(operation.state)
    yield f'<g><title>{_text(operation_text(operation, picture.now))}</title>'
    x = 16 + 14 * node.depth
    mark = MARKS.get(operation.state, ('·', ''))[0]
    label = _text(_cut(operation.label, LABEL_LENGTH - 2 * node.depth))
    middle = top + ROW / 2 + 4.5
    yield f'<text x="{x}" y="{middle}"><tspan class="{tone}">{mark}</tspan> {label}</text>'
    yield from _segments(picture, node.bar, top + (ROW - BAR) / 2, width)
    took = duration(round((node.bar.end - node.bar.start).total_seconds(), 2))
    yield f'<text class="small" x="{width - 14}" y="{middle}" text-anchor="end">{took}</text></g>'


def _segments(picture: Picture, bar: Bar, top: float, width: int) -> Iterator[str]:
    for segment in bar.segments:
        start, end = (_x(picture.scale.place(when), width) for when in (segment.start, segment.end))
        long = max(SHORTEST, end - start)
        y, height = (top, BAR) if segment.kind != 'waiting' else (top + BAR / 2 - 1.5, 3)
        yield (
            f'<rect class="{tone_of(segment.state)} {segment.kind}" x="{start:.1f}" y="{y}" width="{long:.1f}" '
            f'height="{height}" rx="2"/>'
        )


def operation_text(operation: Operation, now: datetime) -> str:
    """An operation in words: state, attempts, wait, run time, failure."""
    last = operation.last
    words = [f'{operation.label}: {operation.state}']
    if len(operation.attempts) > 1:
        words.append(f'{len(operation.attempts)} attempts')
    if operation.kind in ('activity', 'lambda', 'child'):
        words.append(f'waited {duration(last.waited(now))}')
        if last.started_at is not None:
            words.append(f'ran {duration(last.ran(now))}')
    if last.worker:
        words.append(f'by {last.worker}')
    if last.has_failed:
        words.append(last.failed_because())
    words.append(f'from {clock_time(operation.attempts[0].scheduled_at)} UTC')
    return ', '.join(words)


def _legend(picture: Picture, height: int) -> Iterator[str]:
    y = height - 18
    x = 16
    for kind, text in (
        ('queued', 'waits for a worker'),
        ('running', 'runs'),
        ('waiting', 'timer, or wait for a retry'),
    ):
        tall, up = (10, 9) if kind != 'waiting' else (3, 5.5)
        yield f'<rect class="busy {kind}" x="{x}" y="{y - up}" width="22" height="{tall}" rx="2"/>'
        yield f'<text class="small" x="{x + 28}" y="{y}">{text}</text>'
        x += round(52 + 5.8 * len(text))
    if picture.scale.breaks:
        total = duration(sum(one.seconds for one in picture.scale.breaks))
        yield f'<text class="small" x="{x}" y="{y}">┆ idle time drawn short, {total} in all</text>'
