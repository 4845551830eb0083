"""Findings, and the comments that let one pass."""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
from typing import TYPE_CHECKING

from attrs import field, frozen

from genflow.tools.lint.fixing import Edit, loses_comment
from genflow.tools.lint.rules import RULES

if TYPE_CHECKING:
    from genflow.tools.lint.code.modules import Function, Module
    from genflow.tools.lint.looked_at import LookedAt

__all__ = ['Finding', 'passed']

CODE = r'G\d{3}\b'
MARK = r'#\s*genflow:\s*ok\b'
OK = re.compile(rf'(?:\A|\s){MARK}\s*({CODE}(?:[\s,]+{CODE})*)?(.*)', re.IGNORECASE)


@frozen
class Finding:
    """Something that a rule objects to.

    Attributes:
        path: Of the file.
        line: From 1.
        column: Of the character, from 1.
        code: Of the rule.
        text: What is wrong and what to do.
        chain: The functions through which workflow code gets there, the workflow's method first.
        fix: The automatic fix, if there is one.
        first_line: Where it begins, with the decorators of a function.
        end_line: Where it ends.
    """

    path: str
    line: int
    column: int
    code: str
    text: str
    chain: tuple[str, ...] = ()
    fix: tuple[Edit, ...] = field(default=(), eq=False)
    first_line: int = field(default=0, eq=False)
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
        line, offset = node.lineno, node.col_offset  # type: ignore[attr-defined]
        body = getattr(node, 'body', None)  # of a function or handler: the comment stands at its head
        end = max(line, body[0].lineno - 1) if isinstance(body, list) and body else getattr(node, 'end_lineno', line)
        first = min([line, *(one.lineno for one in getattr(node, 'decorator_list', ()))])
        fix = () if fix and loses_comment(module.lines, fix) else fix
        return cls(str(module.path), line, module.column(line, offset), code, text, chain, fix, first, end)

    @property
    def message(self) -> str:
        """The text, with the way there where that is not plain."""
        return self.text if len(self.chain) < 2 else f'{self.text} (called by {" > ".join(self.chain)})'  # noqa: PLR2004

    def __str__(self) -> str:
        return f'{self.path}:{self.line}:{self.column}: {self.code} {self.message}'


def passed(module: Module, findings: list[Finding], looked_at: LookedAt | None) -> list[Finding]:
    """The findings of a module that no comment lets pass, and those of comments: no rule, no reason, no use.

    Args:
        module: The module.
        findings: All that the rules object to there.
        looked_at: The lines in which a comment without a finding is known to be unused; ``None`` if none are.
    """
    comments = _comments(module.source)
    left: list[Finding] = []
    used: set[tuple[int, str]] = set()
    for finding in findings:
        lines = [line for line in _lines(finding, comments) if finding.code in comments[line].codes]
        used.update((line, finding.code) for line in lines)
        if not lines:
            left.append(finding)
    for line, comment in comments.items():
        text = comment.problem()
        if text is not None:
            left.append(Finding(str(module.path), line, 1, 'G900', text))
            continue
        if looked_at is None:
            continue
        meant = comment.code_line
        unused = [code for code in comment.codes if (line, code) not in used and looked_at.covers(meant, code)]
        if unused:
            left.append(Finding(str(module.path), line, 1, 'G902', comment.without(unused)))
    return left


def _lines(finding: Finding, comments: dict[int, Comment]) -> list[int]:
    """The lines with comments that a finding is meant by: on its own lines, or above the first of them."""
    first = finding.first_line or finding.line
    own = [line for line in range(first, max(finding.line, finding.end_line) + 1) if line in comments]
    return own + [line for line, comment in comments.items() if line < first == comment.code_line]


@frozen
class Comment:
    """A comment that lets findings pass.

    Attributes:
        codes: Of the rules.
        reason: Why.
        code_line: The line that it is meant for: its own, or the one below it and further comments.
    """

    codes: tuple[str, ...]
    reason: str
    code_line: int

    def problem(self) -> str | None:
        """What is wrong with it."""
        named = ', '.join(self.codes)
        if not self.codes:
            return 'say which rule may pass, and why: `# genflow: ok G001 reason`'
        unknown = [code for code in self.codes if code not in RULES]
        if unknown:
            return f'there is no rule {unknown[0]}; `genflow lint --explain CODE` explains one'
        return None if self.reason else f'say why {named} may pass: `# genflow: ok {named} reason`'

    def without(self, unused: list[str]) -> str:
        """What is wrong if some of its rules find nothing."""
        find, them = ('finds', 'it') if len(unused) == 1 else ('find', 'them')
        remedy = f'remove {them} from the comment' if len(unused) < len(self.codes) else 'remove the comment'
        return f'{" and ".join(unused)} {find} nothing here: {remedy}'


def _comments(source: str) -> dict[int, Comment]:
    """The comments that let findings pass, by line."""
    found: dict[int, Comment] = {}
    if re.search(MARK, source, re.IGNORECASE) is None:
        return found
    tokens = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source, newline=None).readline)
        if token.type == tokenize.COMMENT
    ]
    alone = {token.start[0] for token in tokens if not token.line[: token.start[1]].strip()}
    for token in tokens:
        match = OK.search(token.string)
        if match is not None:
            codes = tuple(dict.fromkeys(re.findall(CODE, (match[1] or '').upper())))
            line = token.start[0]
            code_line = next(one for one in itertools.count(line) if one not in alone)
            found[line] = Comment(codes, match[2].strip(' \t:-'), code_line)
    return found
