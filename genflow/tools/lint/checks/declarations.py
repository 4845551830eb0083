"""Checks the time-outs that decorators and proxies give activities: the rules ``G111`` and ``G112``."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from genflow.tools.lint.checks.method import number
from genflow.tools.lint.code.modules import Module
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.syntax import called_last, dotted, keyword
from genflow.tools.lint.findings import Finding

__all__ = ['declarations']

DEFAULT_START_TO_CLOSE = 300.0
"""The start-to-close in seconds that the decorator registers by default."""

SETTINGS = frozenset({'ActivityProxy', 'proxy', 'with_options', 'options'})
"""The names of calls that change the time-outs of a type."""


def declarations(project: Project, module: Module) -> Iterator[Finding]:
    """The findings about the time-outs that decorators and proxies of a module give."""
    for node in ast.walk(module.tree):
        for decorator in getattr(node, 'decorator_list', ()):
            if isinstance(decorator, ast.Call) and called_last(decorator) == 'activity':
                yield from _limits(project, module, decorator, DEFAULT_START_TO_CLOSE)
        if isinstance(node, ast.Call) and called_last(node) in SETTINGS:
            yield from _limits(project, module, node, _registered(project, module, node))


def _registered(project: Project, module: Module, node: ast.Call) -> float | None:
    """The start-to-close with which the activity of ``activity.proxy(...)`` is registered, where that is known."""
    name = dotted(node.func) or ''
    owner, _, last = name.rpartition('.')
    if last != 'proxy' or keyword(node, 'start_to_close') is not None:
        return None
    root, dot, rest = owner.partition('.')
    full = module.imports.get(root, f'{module.name}.{root}') + dot + rest
    made = project.function_named(full) or project.class_named(full)
    for decorator in () if made is None else made.node.decorator_list:
        if made is not None and isinstance(decorator, ast.Call) and called_last(decorator) == 'activity':
            given = keyword(decorator, 'start_to_close')
            return DEFAULT_START_TO_CLOSE if given is None else number(given, project, made.module)
    return None


def _limits(project: Project, module: Module, node: ast.Call, default: float | None) -> Iterator[Finding]:
    given = keyword(node, 'start_to_close')
    endless = given is not None and number(given, project, module) == math.inf
    if endless or (default is not None and isinstance(given, ast.Constant) and given.value is None):
        yield Finding.in_module(
            module, node, 'G111', 'if its worker dies, no time-out ends this activity: give start_to_close'
        )
        return
    limit = default if given is None else number(given, project, module)
    heartbeat = number(keyword(node, 'heartbeat'), project, module)
    if limit is not None and heartbeat is not None and heartbeat >= limit:
        text = f'a heartbeat of {heartbeat:.0f} s never times out before start_to_close, {limit:.0f} s'
        yield Finding.in_module(module, node, 'G112', text)
