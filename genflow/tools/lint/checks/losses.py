"""Finds lost calls and results in the methods of a workflow class: the rules ``G1..``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from attrs import define, field

from genflow.tools.lint.checks.handlers import Handlers
from genflow.tools.lint.checks.method import COMBINATORS, Method
from genflow.tools.lint.checks.values import Values
from genflow.tools.lint.code.modules import Class
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.syntax import TRIES, called_last, is_compensate, keyword, yields_in
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import Edit, before

__all__ = ['Losses']


@define(eq=False)
class Losses:
    """The check of one method of a workflow class.

    Attributes:
        method: The method.
        values: Its tasks.
        handlers: Its exception handlers.
    """

    method: Method
    values: Values = field(init=False)
    handlers: Handlers = field(init=False)
    _used_names: set[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.values = Values(self.method)
        self.handlers = Handlers(self.method)
        self._used_names = set(self._names_used())

    def findings(self) -> Iterator[Finding]:
        """The findings in the method."""
        function = self.method.function
        if isinstance(function.node, ast.AsyncFunctionDef):
            yield self.method.finding(function.node, 'G104', f'{function.qualname} is async; write `def` and yield')
        for node in self.method.parents:
            yield from self._look(node)

    def _look(self, node: ast.AST) -> Iterator[Finding]:
        if isinstance(node, ast.Expr):
            yield from self._statement(node)
        elif isinstance(node, ast.Assign):
            yield from self._assigned(node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield from self.handlers.check_with(node)
        elif isinstance(node, (ast.Yield, ast.YieldFrom)):
            yield from self._yield(node)
        elif isinstance(node, TRIES):
            yield from self.handlers.check_try(node)
        elif isinstance(node, ast.Call):
            yield from self._signal(node)
        yield from self.values.check(node)

    def _statement(self, node: ast.Expr) -> Iterator[Finding]:
        value = node.value
        if isinstance(value, (ast.ListComp, ast.SetComp)) and self.method.is_task(value.elt):
            fix = before(value, 'yield ') if isinstance(value, ast.ListComp) and self.method.may_yield(value) else ()
            yield self.method.finding(value, 'G101', 'nothing waits for these calls: yield the list', fix)
        if not isinstance(value, ast.Call):
            return
        if self.method.is_restart(value):
            yield self.method.finding(value, 'G107', 'return the value of self.restart(...)', before(value, 'return '))
        elif is_compensate(value):
            fix = before(value, 'yield from ')
            yield self.method.finding(value, 'G109', 'nothing is undone without `yield from`', fix)
        elif self.method.is_task(value):
            yield from self._dropped(value)
        elif self.method.is_branch(value):
            fix = before(value, 'yield ') if self.method.may_yield(value) else ()
            yield self.method.finding(value, 'G101', 'nothing runs this generator: yield it', fix)

    def _assigned(self, node: ast.Assign) -> Iterator[Finding]:
        """A name that is bound to a call of the workflow, and never used."""
        name, value = node.targets[0], node.value
        if len(node.targets) > 1 or not isinstance(name, ast.Name) or not isinstance(value, ast.Call):
            return
        if name.id in self._used_names:
            return
        if self.method.is_restart(value):
            yield self.method.finding(value, 'G107', 'return the value of self.restart(...)')
        elif is_compensate(value):
            fix = before(value, 'yield from ')
            yield self.method.finding(value, 'G109', 'nothing is undone without `yield from`', fix)
        elif self.method.is_task(value):
            yield from self._dropped(value, f'{name.id} is never used, so ')
        elif self.method.is_branch(value):
            text = f'{name.id} is never used, so nothing runs this generator: yield it'
            yield self.method.finding(value, 'G101', text)

    def _names_used(self) -> Iterator[str]:
        """The names that are read or deleted, or that belong to more than this function."""
        for node in self.method.parents:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                yield from node.names

    def _dropped(self, value: ast.Call, why: str = '') -> Iterator[Finding]:
        proxy = self.method.called_proxy(value)
        fix = before(value, 'yield ') if self.method.may_yield(value) else ()
        if proxy is None:
            yield self.method.finding(value, 'G101', f'{why}nothing waits for this: yield it', fix)
            return
        handled = keyword(proxy, 'error_handling') or keyword(_options(value), 'error_handling')
        if (isinstance(handled, ast.Constant) and handled.value) or not _class_yields(self.method.cls):
            return
        if self.method.is_handled_around(value):
            return
        text = f'{why}nothing waits for this call: its result is lost, and its failure fails the workflow'
        yield self.method.finding(value, 'G101', text, fix)

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Iterator[Finding]:
        value = node.value
        expression = self.values.generator_expression(value)
        if expression is not None and (isinstance(node, ast.Yield) or self.method.is_task(expression.elt)):
            start, end = (expression.lineno, expression.col_offset), (expression.end_lineno, expression.end_col_offset)
            fix = [
                Edit(start, (start[0], start[1] + 1), '['),
                Edit((end[0] or 0, (end[1] or 0) - 1), (end[0] or 0, end[1] or 0), ']'),
            ]
            if isinstance(node, ast.YieldFrom):
                fix.insert(0, _keyword_edit(node, 'yield from', 'yield'))
            text = 'nothing iterates this generator expression: yield a list'
            yield self.method.finding(node, 'G103', text, tuple(fix) if expression is value else ())
        elif isinstance(node, ast.Yield) and any(map(is_compensate, _together(value))):
            fix = [_keyword_edit(node, 'yield', 'yield from')]
            text = 'write `yield from saga.compensate()`, which is shielded from a cancellation'
            yield self.method.finding(node, 'G109', text, tuple(fix) if _together(value) == [value] else ())
        elif isinstance(value, ast.Call) and self.method.is_restart(value):
            edit = _keyword_edit(node, 'yield from' if isinstance(node, ast.YieldFrom) else 'yield', 'return')
            alone = isinstance(self.method.parents[node], ast.Expr)
            yield self.method.finding(node, 'G107', 'return the value of self.restart(...)', (edit,) if alone else ())

    def _signal(self, node: ast.Call) -> Iterator[Finding]:
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in ('get', 'drain') or node.args:
            return
        project, cls, name = self.method.project, self.method.cls, self.method.attribute(func.value)
        if name is None or not project.is_known(cls) or name in _attributes(project, cls):
            return
        text = f'{cls.name} declares no signal {name}: write `{name} = Signal()`'
        yield self.method.finding(node, 'G108', text)


def _keyword_edit(node: ast.Yield | ast.YieldFrom, old: str, new: str) -> Edit:
    start = (node.lineno, node.col_offset)
    return Edit(start, (start[0], start[1] + len(old)), new)


def _options(value: ast.Call) -> ast.Call:
    return value.func if isinstance(value.func, ast.Call) else value


def _class_yields(cls: Class) -> bool:
    return any(yields_in(method.node.body) for method in cls.methods.values())


def _together(value: ast.expr | None) -> list[ast.expr]:
    """What is yielded: the members of a container, a comprehension or a combinator, else the value itself."""
    members: list[ast.expr]
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        members = value.elts
    elif isinstance(value, ast.Dict):
        members = value.values
    elif isinstance(value, (ast.ListComp, ast.SetComp, ast.GeneratorExp)):
        members = [value.elt]
    elif isinstance(value, (ast.DictComp, ast.Starred)):
        members = [value.value]
    elif isinstance(value, ast.Call) and called_last(value) in COMBINATORS:
        members = value.args
    else:
        return [] if value is None else [value]
    return [inner for member in members for inner in _together(member)]


def _attributes(project: Project, cls: Class) -> set[str]:
    """Every attribute that a class and its bases declare or set."""
    found: set[str] = set(dir(dict)) - {'get'}
    for member in project.family(cls):
        found |= set(member.members) | set(member.methods)
        for node in ast.walk(member.node):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
    return found
