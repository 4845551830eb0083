"""Graphs as Mermaid and Graphviz: an edge leads from an operation that ended to each one that followed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from genflow.insight import ExecutionView, Operation
from genflow.insight.flow import Step, steps

__all__ = ['dot', 'mermaid']

STYLES = {
    'completed': ('#d9efd9', '#2f6f3e'),
    'fired': ('#d9efd9', '#2f6f3e'),
    'delivered': ('#d9efd9', '#2f6f3e'),
    'failed': ('#f8d7d3', '#a02c20'),
    'refused': ('#f8d7d3', '#a02c20'),
    'timed out': ('#f8d7d3', '#a02c20'),
    'terminated': ('#f8d7d3', '#a02c20'),
    'canceled': ('#f6e9c4', '#8a6100'),
    'retrying': ('#f6e9c4', '#8a6100'),
    'started': ('#d5e8f7', '#1f5f93'),
    'scheduled': ('#e8e8f4', '#4b4b8f'),
}
"""Fill and border of each state."""

SHAPES = {
    'activity': ('[', ']', 'box'),
    'child': ('[[', ']]', 'box3d'),
    'timer': ('([', '])', 'ellipse'),
    'lambda': ('{{', '}}', 'hexagon'),
    'signal': ('>', ']', 'cds'),
    'cancel': ('>', ']', 'cds'),
}
"""The shape of each kind: how Mermaid opens and closes it, and Graphviz's name."""

MANY = 12
"""A decision with at least this many edges gets a node of its own."""


def _edges(view: ExecutionView) -> Iterator[tuple[str, str]]:
    """Edges by the names of their nodes, and the nodes of decisions and signals that they need."""
    for step in steps(view):
        causes = [f'o{one.id}' for one in step.causes] or ['start']
        causes += [f's{step.id}_{place}' for place in range(len(step.signals))]
        asked = [f'o{one.id}' for one in step.asked]
        if len(causes) > 1 and len(causes) * len(asked) > MANY:
            yield from ((cause, f'd{step.id}') for cause in causes)
            causes = [f'd{step.id}']
        yield from ((cause, one) for cause in causes for one in asked)
    yield from _to_end(view)


def _to_end(view: ExecutionView) -> Iterator[tuple[str, str]]:
    """Edges from the operations that ended last to the end of the execution."""
    if view.close is None:
        return
    ended = [one for one in view.visible_operations() if one.last.ended_id]
    last = max(ended, key=lambda one: one.last.ended_id, default=None)
    yield 'start' if last is None else f'o{last.id}', 'finish'


def _extra(view: ExecutionView) -> Iterator[tuple[str, str, str]]:
    """Nodes that are not operations: name, text and kind."""
    yield 'start', f'{view.name} {view.version}', 'start'
    for step in steps(view):
        for place, name in enumerate(step.signals):
            yield f's{step.id}_{place}', f'signal {name}', 'signal'
        if _joins(step):
            yield f'd{step.id}', 'decision', 'decision'
    if view.close is not None:
        yield 'finish', view.status, 'end'


def _joins(step: Step) -> bool:
    count = max(1, len(step.causes)) + len(step.signals)
    return count > 1 and count * len(step.asked) > MANY


def _text(operation: Operation) -> str:
    tried = f' ({len(operation.attempts)} attempts)' if len(operation.attempts) > 1 else ''
    return f'{operation.label}{tried}: {operation.state}'


# Mermaid


def mermaid(view: ExecutionView) -> str:
    """A Mermaid flowchart, as GitHub, GitLab and most notebooks draw it."""
    lines = ['flowchart LR']
    for name, text, kind in _extra(view):
        opens, closes = ('>', ']') if kind == 'signal' else ('((', '))') if kind == 'decision' else ('(', ')')
        lines.append(f'    {name}{opens}"{_escaped(text)}"{closes}')
    for operation in view.visible_operations():
        opens, closes, _ = SHAPES[operation.kind]
        lines.append(f'    o{operation.id}{opens}"{_escaped(_text(operation))}"{closes}:::{_class(operation.state)}')
    lines += [f'    {one} --> {other}' for one, other in _edges(view)]
    used = dict.fromkeys(operation.state for operation in view.visible_operations())
    lines += [
        f'    classDef {_class(state)} fill:{STYLES[state][0]},stroke:{STYLES[state][1]},color:#111'
        for state in used
        if state in STYLES
    ]
    return '\n'.join(lines) + '\n'


def _class(state: str) -> str:
    return state.replace(' ', '_')


def _escaped(text: str) -> str:
    """Text for a Mermaid label: special characters become entities."""
    return re.sub(r'[^\w .,:()/-]', lambda match: f'#{ord(match[0])};', text.replace('\n', ' '))


# Graphviz


def dot(view: ExecutionView) -> str:
    """A Graphviz digraph: ``genflow graph ID --format dot | dot -Tsvg``."""
    lines = [
        'digraph execution {',
        '    rankdir=LR; bgcolor="transparent";',
        '    node [fontname="sans-serif", fontsize=11, style="filled,rounded", fillcolor="#f4f4f4", color="#555555"];',
        '    edge [color="#777777", arrowsize=0.7];',
    ]
    for name, text, kind in _extra(view):
        shape = {'signal': 'cds', 'decision': 'point'}.get(kind, 'oval')
        lines.append(f'    {name} [label={_quoted(text)}, shape={shape}];')
    for operation in view.visible_operations():
        fill, border = STYLES.get(operation.state, ('#f4f4f4', '#555555'))
        shape = SHAPES[operation.kind][2]
        label = _quoted(_text(operation))
        lines.append(f'    o{operation.id} [label={label}, shape={shape}, fillcolor="{fill}", color="{border}"];')
    lines += [f'    {one} -> {other};' for one, other in _edges(view)]
    return '\n'.join([*lines, '}']) + '\n'


def _quoted(text: str) -> str:
    escaped = text.replace('\\', '\\\\').replace('"', '\\"').replace('\n', ' ')
    return f'"{escaped}"'
