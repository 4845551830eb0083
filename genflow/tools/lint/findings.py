"""Findings, and the comments that let one pass."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from attrs import field, frozen

from genflow.tools.lint.fixing import Edit

if TYPE_CHECKING:
    from genflow.tools.lint.project import Function, Module

__all__ = ['Finding', 'passed']

OK = re.compile(r'#\s*genflow:\s*ok\s+(G\d{3}(?:\s*,\s*G\d{3})*)\s*(.*)')


@frozen
class Finding:
    """Something that a rule objects to.

    Attributes:
        path: Of the file.
        line: From 1.
        column: From 1.
        code: Of the rule.
        text: What is wrong and what to do.
        chain: The functions through which workflow code gets there, the workflow's method first.
        fix: The automatic fix, if there is one.
        end_line: Where it ends.
    """

    path: str
    line: int
    column: int
    code: str
    text: str
    chain: tuple[str, ...] = ()
    fix: tuple[Edit, ...] = field(default=(), eq=False)
    end_line: int = field(default=0, eq=False)

    @classmethod
    def at(
        cls,
        function: Function,
        node: ast.AST,
        code: str,
        text: str,
        chain: tuple[str, ...] = (),
        fix: tuple[Edit, ...] = (),
    ) -> Finding:
        """A finding at a node of a function."""
        return cls.in_module(function.module, node, code, text, chain, fix)

    @classmethod
    def in_module(
        cls,
        module: Module,
        node: ast.AST,
        code: str,
        text: str,
        chain: tuple[str, ...] = (),
        fix: tuple[Edit, ...] = (),
    ) -> Finding:
        """A finding at a node of a module."""
        line, column = node.lineno, node.col_offset + 1  # type: ignore[attr-defined]
        return cls(str(module.path), line, column, code, text, chain, fix, getattr(node, 'end_lineno', line))

    @property
    def message(self) -> str:
        """The text, with the way there where that is not plain."""
        return self.text if len(self.chain) < 2 else f'{self.text} (called by {" > ".join(self.chain)})'  # noqa: PLR2004

    def __str__(self) -> str:
        return f'{self.path}:{self.line}:{self.column}: {self.code} {self.message}'


def passed(module: Module, findings: list[Finding]) -> list[Finding]:
    """The findings of a module that no comment lets pass, and the comments that give no reason."""
    comments = _comments(module.source)
    left = [
        finding
        for finding in findings
        if not any(finding.code in comments.get(line, ('', ''))[0] for line in _lines(finding, comments))
    ]
    for line, (codes, reason) in comments.items():
        if not reason:
            text = f'say why {codes} may pass: `# genflow: ok {codes} reason`'
            left.append(Finding(str(module.path), line, 1, 'G900', text))
    return left


def _lines(finding: Finding, comments: dict[int, tuple[str, str]]) -> list[int]:
    return [*range(finding.line, max(finding.line, finding.end_line) + 1), finding.line - 1]


def _comments(source: str) -> dict[int, tuple[str, str]]:
    """By line: the codes that pass, and the reason. A comment on a line of its own is meant for the next line."""
    found = {}
    for number, line in enumerate(source.splitlines(), 1):
        match = OK.search(line)
        if match is not None:
            found[number] = (match[1], match[2].strip())
    return found
