"""The rules as a plugin of flake8, which looks at each file by itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from genflow.tools.lint.linting import lint_source

__all__ = ['Plugin']


def _version() -> str:
    try:
        return version('genflow')
    except PackageNotFoundError:
        return '0'


class Plugin:
    """What flake8 makes for each file."""

    name = 'genflow'
    version = _version()

    def __init__(self, tree: ast.AST, filename: str, lines: list[str] | None = None) -> None:
        self._filename = filename
        self._source = ''.join(lines) if lines is not None else Path(filename).read_text(encoding='utf-8')

    def run(self) -> Iterator[tuple[int, int, str, type]]:
        """Line, column from 0, code with text, and the class of the plugin."""
        for finding in lint_source(self._source, self._filename):
            yield finding.line, finding.column - 1, f'{finding.code} {finding.message}', type(self)
