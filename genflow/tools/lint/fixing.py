"""Changes of source text: pieces that are put in the place of others, from the end of the file on."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from attrs import frozen

__all__ = ['Edit', 'applied', 'around', 'before', 'replaced']


@frozen(order=True)
class Edit:
    """Puts a text into the place of what lies between two positions.

    Attributes:
        start: Line from 1 and column in bytes, as ``ast`` counts them.
        end: Likewise.
        text: What comes there.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def _start(node: ast.AST) -> tuple[int, int]:
    return (node.lineno, node.col_offset)  # type: ignore[attr-defined]


def _end(node: ast.AST) -> tuple[int, int]:
    return (node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def replaced(node: ast.AST, text: str) -> tuple[Edit, ...]:
    """A node by a text."""
    return (Edit(_start(node), _end(node), text),)


def before(node: ast.AST, text: str) -> tuple[Edit, ...]:
    """A text in front of a node."""
    return (Edit(_start(node), _start(node), text),)


def around(node: ast.AST, opening: str, closing: str) -> tuple[Edit, ...]:
    """Texts on both sides of a node."""
    return (Edit(_start(node), _start(node), opening), Edit(_end(node), _end(node), closing))


def applied(source: str, fixes: Iterable[tuple[Edit, ...]]) -> tuple[str, int]:
    """The source with all fixes that do not overlap, and how many of them were made."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    taken: list[Edit] = []
    made = 0
    for fix in fixes:
        if not any(_overlap(edit, other) for edit in fix for other in taken):
            taken += fix
            made += 1
    for edit in sorted(taken, reverse=True):
        _put(lines, edit)
    return b''.join(lines).decode(), made


def _overlap(one: Edit, other: Edit) -> bool:
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    return one.start < other.end and other.start < one.end


def _put(lines: list[bytes], edit: Edit) -> None:
    (first, begin), (last, end) = edit.start, edit.end
    head, tail = lines[first - 1][:begin], lines[last - 1][end:]
    lines[first - 1 : last] = [head + edit.text.encode() + tail]
    lines[first:first] = [b''] * (last - first)  # the other lines keep their numbers
