"""Changes of source text: pieces that are put in the place of others, from the end of the file on."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from attrs import frozen

from genflow.tools.lint.code.sources import lines_of

__all__ = ['Edit', 'applied', 'around', 'before', 'loses_comment', 'replaced']


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


def loses_comment(lines: Sequence[str], fix: Iterable[Edit]) -> bool:
    """Whether a fix replaces text of several lines that may have a comment."""
    return any(
        edit.start[0] < edit.end[0] and any('#' in line for line in lines[edit.start[0] - 1 : edit.end[0]])
        for edit in fix
    )


def applied(source: str, fixes: Iterable[tuple[Edit, ...]]) -> tuple[str, int]:
    """The source with all fixes that do not overlap, and how many of them were made.

    None is made where the source would be no Python any more.
    """
    lines = [line.encode() for line in lines_of(source)]
    fixes = list(fixes)
    taken = _compatible(fixes)
    mended = _edited(lines, taken)
    if not _is_python(mended):  # one of them is to blame
        taken = []
        for fix in fixes:
            if _fits(fix, taken) and _is_python(_edited(lines, [*taken, *fix])):
                taken += fix
        mended = _edited(lines, taken)
    return mended, sum(all(edit in taken for edit in fix) for fix in fixes)


def _compatible(fixes: Iterable[tuple[Edit, ...]]) -> list[Edit]:
    taken: list[Edit] = []
    for fix in fixes:
        if _fits(fix, taken):
            taken += fix
    return taken


def _fits(fix: tuple[Edit, ...], taken: list[Edit]) -> bool:
    return not any(_overlap(edit, other) for edit in fix for other in taken)


def _edited(lines: list[bytes], edits: list[Edit]) -> str:
    lines = list(lines)
    for edit in sorted(edits, reverse=True):
        _put(lines, edit)
    return b''.join(lines).decode()


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _overlap(one: Edit, other: Edit) -> bool:
    if one.start == one.end and other.start == other.end:
        return one.start == other.start
    return one.start < other.end and other.start < one.end


def _put(lines: list[bytes], edit: Edit) -> None:
    (first, begin), (last, end) = edit.start, edit.end
    head, tail = lines[first - 1][:begin], lines[last - 1][end:]
    lines[first - 1 : last] = [head + edit.text.encode() + tail]
    lines[first:first] = [b''] * (last - first)  # the other lines keep their numbers
