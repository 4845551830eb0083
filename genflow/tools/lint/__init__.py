"""Finds nondeterminism and lost results in workflow code, without importing the code."""

from __future__ import annotations

from genflow.tools.lint.linting import Finding, lint_paths, lint_source
from genflow.tools.lint.rules import RULES, Rule

__all__ = ['RULES', 'Finding', 'Rule', 'lint_paths', 'lint_source']
