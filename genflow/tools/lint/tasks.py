"""Which expressions of a workflow's method give a task: calls of proxies, timers, signals and combinators."""

from __future__ import annotations

import ast

from attrs import define

from genflow.tools.lint.project import Class, Function, Project, dotted

__all__ = ['Calls', 'keyword', 'number']

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


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword argument."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def number(node: ast.expr | None) -> float | None:
    """The value of a constant number."""
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
