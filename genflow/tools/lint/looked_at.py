"""The lines that were looked at: a comment there that lets nothing pass is known to be unused."""

from __future__ import annotations

import ast

from attrs import define, field

__all__ = ['LookedAt']

DECLARED = frozenset({'G111', 'G112'})
"""The rules on time-outs that are given, which are asked of every line of a module."""

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@define(eq=False)
class LookedAt:
    """The lines of one module that were read.

    Attributes:
        determinism: Those that were asked for what breaks determinism.
        losses: Those that were asked for what is lost.
    """

    determinism: set[int] = field(factory=set)
    losses: set[int] = field(factory=set)

    def add(self, node: ast.stmt, *, is_method: bool) -> None:
        """Adds the lines of a function or class, without those of the functions and classes in it.

        Args:
            node: The function or class.
            is_method: Whether it was asked for what is lost as well.
        """
        lines = set(_lines(node))
        for inner in ast.walk(node):
            if isinstance(inner, DEFINITIONS) and inner is not node:
                lines.difference_update(_lines(inner))
        self.determinism |= lines
        if is_method:
            self.losses |= lines

    def covers(self, line: int, code: str) -> bool:
        """Whether a finding of that rule would have been found in a line."""
        return code in DECLARED or line in (self.losses if code.startswith('G1') else self.determinism)


def _lines(node: ast.stmt) -> range:
    decorators = getattr(node, 'decorator_list', ())
    return range(min([node.lineno, *(one.lineno for one in decorators)]), (node.end_lineno or node.lineno) + 1)
