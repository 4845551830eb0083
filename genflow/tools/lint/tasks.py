"""Which expressions of a workflow's method give a task: calls of proxies, timers, signals and combinators."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

from attrs import define

from genflow.tools.lint.modules import Class, Function, Module
from genflow.tools.lint.project import Project
from genflow.tools.lint.syntax import dotted

__all__ = ['Calls', 'number']

PROXIES = frozenset({'ActivityProxy', 'WorkflowProxy', 'LambdaProxy'})
COMBINATORS = frozenset({'all_of', 'any_of', 'first_of', 'first_success'})
TIMED = frozenset({'sleep', 'sleep_until', 'until', 'map'})


@define(eq=False)
class Calls:
    """What the expressions of one method mean.

    Attributes:
        project: All modules.
        function: The method.
        cls: The workflow class that it is looked at as a method of.
    """

    project: Project
    function: Function
    cls: Class

    def proxy(self, name: str) -> ast.Call | None:
        """The call that made the proxy of this attribute."""
        found = self.project.member(self.cls, name)
        value = None if found is None else found[1]
        if not isinstance(value, ast.Call):
            return None
        made = (dotted(value.func) or '').rpartition('.')[2]
        return value if made in PROXIES or made == 'proxy' else None

    def is_signal(self, name: str) -> bool:
        found = self.project.member(self.cls, name)
        value = None if found is None else found[1]
        if not isinstance(value, ast.Call):
            return False
        made = value.func.value if isinstance(value.func, ast.Subscript) else value.func  # Signal[Verdict]()
        return (dotted(made) or '').rpartition('.')[2] == 'Signal'

    def attribute(self, node: ast.AST) -> str | None:
        """``name`` of ``self.name``."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr if node.value.id == self.function.self_name else None
        return None

    def called_proxy(self, node: ast.AST) -> ast.Call | None:
        """The call that made the proxy which an expression calls, through ``with_options`` too."""
        if not isinstance(node, ast.Call):
            return None
        target = node.func
        if (
            isinstance(target, ast.Call)
            and isinstance(target.func, ast.Attribute)
            and target.func.attr == 'with_options'
        ):
            target = target.func.value
        name = self.attribute(target)
        return None if name is None else self.proxy(name)

    def is_task(self, node: ast.AST) -> bool:
        """Whether an expression gives a task."""
        if not isinstance(node, ast.Call):
            return False
        return self.called_proxy(node) is not None or self.is_local_task(node)

    def is_local_task(self, node: ast.Call) -> bool:
        """Whether it is a timer, a signal that is waited for, a combinator, or a limited task."""
        target = node.func
        if isinstance(target, ast.Name):
            return self.function.module.imports.get(target.id, '').startswith('genflow') and target.id in COMBINATORS
        if not isinstance(target, ast.Attribute):
            return False
        if self.attribute(target) in TIMED:
            return self.project.method(self.cls, target.attr) is None
        if target.attr in ('signal', 'cancel') and isinstance(target.value, ast.Call):
            return self.attribute(target.value.func) == 'external'
        if target.attr == 'get':
            made = target.value.func if isinstance(target.value, ast.Call) else None  # self.signal(name)
            return self.attribute(made) == 'signal' if made else self.is_signal(self.attribute(target.value) or '')
        return target.attr == 'timeout' and self.is_task(target.value)


def number(node: ast.expr | None, project: Project, module: Module) -> float | None:
    """The value of a number: a constant, one of a module, or what is reckoned of such."""
    if isinstance(node, ast.Constant):
        value = node.value
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = number(node.left, project, module), number(node.right, project, module)
        known = left is not None and right is not None and (right or not isinstance(node.op, ast.Div))
        return _OPERATORS[type(node.op)](left, right) if known else None  # type: ignore[arg-type]
    name = dotted(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
    return None if name is None else _named_number(name, project, module)


def _named_number(name: str, project: Project, module: Module) -> float | None:
    if name in ('math.inf', 'inf'):
        return math.inf
    root, dot, rest = name.partition('.')
    owner, _, last = project.canonical(module.imports.get(root, f'{module.name}.{root}') + dot + rest).rpartition('.')
    found = project.modules.get(owner)
    made = None if found is None else found.values.get(last)
    is_number = found is not None and isinstance(made, (ast.Constant, ast.BinOp))
    return number(made, project, found) if is_number else None  # type: ignore[arg-type]


_OPERATORS: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
"""What is reckoned with numbers that are known."""
