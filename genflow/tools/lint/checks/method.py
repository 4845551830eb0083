"""A method of a workflow, and its expressions that give tasks: calls of proxies, timers, signals, combinators."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

from attrs import define, field

from genflow.tools.lint.code.modules import Class, Function, Module
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.syntax import called_last, dotted, innermost, keyword, own_nodes, yields_in
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import Edit

__all__ = ['COMBINATORS', 'COMPREHENSIONS', 'Method', 'number']

PROXIES = frozenset({'ActivityProxy', 'WorkflowProxy', 'LambdaProxy'})
COMBINATORS = frozenset({'all_of', 'any_of', 'first_of', 'first_success'})
COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.SetComp)
NO_YIELD = (*COMPREHENSIONS, ast.DictComp, ast.Lambda)
"""Expressions in which Python allows no ``yield``."""

TIMED = frozenset({'sleep', 'sleep_until', 'until', 'map'})


@define(eq=False)
class Method:
    """One method of a workflow class.

    Attributes:
        project: All modules.
        function: The method.
        cls: The workflow class for which it is checked: its own or a derived one.
        chain: How workflow code gets there: the names of the functions from a method of the workflow on.
        parents: Every node of the method, in order, with the one around it.
    """

    project: Project
    function: Function
    cls: Class
    chain: tuple[str, ...] = ()
    parents: dict[ast.AST, ast.AST] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for node in (self.function.node, *own_nodes(self.function.node)):
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node

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
        name = self._called_attribute(node)
        return None if name is None else self.proxy(name)

    def _called_attribute(self, call: ast.Call) -> str | None:
        """``name`` of ``self.name(…)`` and of ``self.name.with_options(…)(…)``."""
        target = call.func
        if isinstance(target, ast.Call) and called_last(target) == 'with_options':
            target = target.func.value if isinstance(target.func, ast.Attribute) else target
        return self.attribute(target)

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

    def finding(self, node: ast.AST, code: str, text: str, fix: tuple[Edit, ...] = ()) -> Finding:
        return Finding.at(self.function, node, code, text, self.chain or (self.function.qualname,), fix)

    def may_yield(self, node: ast.AST) -> bool:
        """Whether a ``yield`` may be put at a node.

        Python takes none in comprehensions and lambdas, and it would make a generator of a function that is none.
        """
        if self._is_inside(node, NO_YIELD):
            return False
        inner = innermost(node, self.parents)
        if inner is None or inner is self.function.node:
            return self.function.name == 'run' or yields_in(self.function.node.body)
        return isinstance(inner, ast.FunctionDef) and yields_in(inner.body)

    def is_branch(self, value: ast.Call) -> bool:
        """Whether it makes a generator of one of the workflow's own methods."""
        name = self.attribute(value.func)
        method = None if name is None else self.project.method(self.cls, name)
        return method is not None and not method.node.decorator_list and yields_in(method.node.body)

    def is_handled_around(self, node: ast.AST) -> bool:
        """Whether a ``with self.options(error_handling=True):`` is around a call."""
        while node in self.parents:
            node = self.parents[node]
            for item in node.items if isinstance(node, ast.With) else ():
                call = item.context_expr
                handled = keyword(call, 'error_handling') if isinstance(call, ast.Call) else None
                if isinstance(handled, ast.Constant) and handled.value:
                    return True
        return False

    def is_restart(self, value: ast.Call) -> bool:
        """Whether it calls ``self.restart``, or a method that returns nothing else."""
        name = self._called_attribute(value)
        method = None if name is None else self.project.method(self.cls, name)
        return name == 'restart' if method is None else _gives_restart(method)

    def _is_inside(self, node: ast.AST, kinds: tuple[type, ...]) -> bool:
        parent: ast.AST | None = self.parents.get(node)
        while parent is not None and not isinstance(parent, kinds):
            parent = self.parents.get(parent)
        return parent is not None


def _gives_restart(method: Function) -> bool:
    """Whether a method returns nothing but what ``self.restart`` gives."""
    returned = [node.value for node in own_nodes(method.node) if isinstance(node, ast.Return)]
    names = [(dotted(value.func) or '') if isinstance(value, ast.Call) else '' for value in returned]
    return bool(names) and all(name.replace('.with_options()', '') == f'{method.self_name}.restart' for name in names)


def number(node: ast.expr | None, project: Project, module: Module) -> float | None:
    """The value of a number: a constant, a constant of a module, or an expression of such; ``None`` if unknown."""
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
"""The operators with which known numbers are computed."""
