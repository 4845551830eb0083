"""Finds tasks that are used as if they were their results: the rule ``G102``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from attrs import define, field

from genflow.tools.lint.checks.method import COMPREHENSIONS, Method
from genflow.tools.lint.code.syntax import dotted
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import around

__all__ = ['Values']

TASK_MEMBERS = frozenset(
    {
        'cancel',
        'detach',
        'done',
        'exception',
        'number',
        'options',
        'result',
        'signal',
        'timeout',
        'workflow_id',
    }
)
VALUE_FUNCTIONS = frozenset(
    {
        'abs',
        'bool',
        'dict',
        'divmod',
        'enumerate',
        'float',
        'format',
        'int',
        'iter',
        'len',
        'list',
        'max',
        'min',
        'next',
        'print',
        'range',
        'reversed',
        'round',
        'set',
        'sorted',
        'str',
        'sum',
        'tuple',
    }
)
SUMMING = frozenset({'sum', 'min', 'max', 'any', 'all'})
"""Functions that need the values in an iterable."""


@define(eq=False)
class Values:
    """The tasks of one method."""

    method: Method
    _tasks: set[str] = field(factory=set)
    _lists: set[str] = field(factory=set)
    _dicts: set[str] = field(factory=set)
    _bound: dict[str, list[tuple[ast.Name, ast.AST]]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self._tasks = self._names_of_tasks()

    def check(self, node: ast.AST) -> Iterator[Finding]:
        """A task, or a list of them, that is used as its result would be."""
        if self._is_task(node):
            yield from self._value(node)
        elif self._is_list(node) and self._is_summed(node):
            yield self.method.finding(node, 'G102', 'these are tasks and not their results: yield the list first')

    def _value(self, node: ast.AST) -> Iterator[Finding]:
        parent = self.method.parents[node]
        named: ast.AST = node
        if isinstance(parent, ast.NamedExpr):
            named, parent = parent, self.method.parents[parent]
        used = self._is_compared(named, parent) if isinstance(parent, ast.Compare) else _uses_value(named, parent)
        if used:
            may_yield = isinstance(node, ast.Call) and self.method.may_yield(node)
            fix = around(node, '(yield ', ')') if may_yield else ()
            yield self.method.finding(node, 'G102', 'this is a task and not its result: yield it first', fix)
        elif isinstance(parent, COMPREHENSIONS) and parent.elt is node and self._is_summed(parent):
            yield self.method.finding(node, 'G102', 'these are tasks and not their results: yield a list of them first')

    def _is_compared(self, node: ast.AST, parent: ast.Compare) -> bool:
        """Whether it is compared with anything but a task, or looked into."""
        sides = [parent.left, *parent.comparators]
        for left, op, right in zip(sides, parent.ops, sides[1:], strict=False):
            if isinstance(op, (ast.In, ast.NotIn)):
                if right is node:
                    return True
            elif node in (left, right) and not isinstance(op, (ast.Is, ast.IsNot)):
                other = right if left is node else left
                if not isinstance(op, (ast.Eq, ast.NotEq)) or not (self._is_task(other) or _may_be_task(other)):
                    return True
        return False

    def _is_summed(self, comprehension: ast.AST) -> bool:
        call = self.method.parents.get(comprehension)
        is_argument = isinstance(call, ast.Call) and comprehension in call.args
        return is_argument and isinstance(call.func, ast.Name) and call.func.id in SUMMING  # type: ignore[union-attr]

    def generator_expression(self, value: ast.expr | None) -> ast.GeneratorExp | None:
        """The generator expression that a value is, or that a name stands for which is bound once."""
        if isinstance(value, ast.GeneratorExp):
            return value
        if not isinstance(value, ast.Name):
            return None
        bound = [parent for _, parent in self._bound.get(value.id, ())]
        made = bound[0].value if len(bound) == 1 and isinstance(bound[0], ast.Assign) else None
        return made if isinstance(made, ast.GeneratorExp) else None

    def _names_of_tasks(self) -> set[str]:
        """The local names that are tasks and nothing else; those that are lists of tasks are remembered, too."""
        bound = self._bound
        for node in self.method.parents:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.setdefault(node.id, []).append((node, self.method.parents[node]))

        def named(is_one: Callable[[ast.Name, ast.AST], bool]) -> set[str]:
            return {name for name, places in bound.items() if all(is_one(*place) for place in places)}

        self._dicts = named(lambda node, parent: _is_plain(node, parent) and _maps_tasks(parent.value, self.method))  # type: ignore[attr-defined]
        self._lists = named(lambda node, parent: _is_plain(node, parent) and _gives_tasks(parent.value, self.method))  # type: ignore[attr-defined]
        tasks = named(lambda node, parent: _is_plain(node, parent) and self.method.is_task(parent.value))  # type: ignore[attr-defined]
        return tasks | named(lambda node, parent: _is_target(node, parent) and self._is_list(parent.iter))  # type: ignore[attr-defined]

    def _is_list(self, node: ast.AST) -> bool:
        """Whether a name stands for a list of tasks."""
        return isinstance(node, ast.Name) and node.id in self._lists and not self._is_parameter(node)

    def _is_task(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Name):
            return isinstance(node.ctx, ast.Load) and node.id in self._tasks and not self._is_parameter(node)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            among = self._is_list(node.value) or (node.value.id in self._dicts and not self._is_parameter(node.value))
            return among and isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice)
        return self.method.is_task(node)

    def _is_parameter(self, node: ast.Name) -> bool:
        """Whether a name is a parameter of a lambda that it stands in."""
        parent: ast.AST | None = self.method.parents.get(node)
        while parent is not None:
            if isinstance(parent, ast.Lambda) and any(
                isinstance(one, ast.arg) and one.arg == node.id for one in ast.walk(parent.args)
            ):
                return True
            parent = self.method.parents.get(parent)
        return False


def _needs_values(func: ast.expr) -> bool:
    """Whether a function needs results: ``len``, ``json.dumps``, ``'{}'.format``."""
    if isinstance(func, ast.Attribute):
        of_text = isinstance(func.value, ast.Constant) and func.attr in ('format', 'join')
        return of_text or dotted(func) == 'json.dumps'
    return isinstance(func, ast.Name) and func.id in VALUE_FUNCTIONS


def _may_be_task(node: ast.expr) -> bool:
    """Whether an expression may give a task, as far as that cannot be known: ``winner``, ``self.first``."""
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Yield, ast.YieldFrom))


def _is_plain(node: ast.Name, parent: ast.AST) -> bool:
    return isinstance(parent, ast.Assign) and parent.targets == [node]


def _is_target(node: ast.Name, parent: ast.AST) -> bool:
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.target is node


def _maps_tasks(value: ast.expr, method: Method) -> bool:
    """Whether an expression makes a dict whose values are tasks."""
    if isinstance(value, ast.DictComp):
        return method.is_task(value.value)
    return isinstance(value, ast.Dict) and bool(value.values) and all(map(method.is_task, value.values))


def _gives_tasks(value: ast.expr, method: Method) -> bool:
    """Whether an expression makes a list of tasks."""
    if isinstance(value, ast.ListComp):
        return method.is_task(value.elt)
    return isinstance(value, ast.List) and bool(value.elts) and all(map(method.is_task, value.elts))


def _uses_value(node: ast.AST, parent: ast.AST) -> bool:
    """Whether an expression is used as a result is used."""
    if isinstance(parent, ast.Attribute):
        return parent.attr not in TASK_MEMBERS
    if isinstance(parent, ast.Call):
        is_argument = node in parent.args
        return is_argument and _needs_values(parent.func)
    if isinstance(parent, ast.Assign):
        return parent.value is node and isinstance(parent.targets[0], (ast.Tuple, ast.List))
    return any(getattr(parent, member, None) is node for member in _MEMBERS.get(type(parent), ())) or isinstance(
        parent, (ast.BoolOp, ast.BinOp, ast.UnaryOp)
    )


_MEMBERS: dict[type, tuple[str, ...]] = {
    ast.If: ('test',),
    ast.While: ('test',),
    ast.IfExp: ('test',),
    ast.Assert: ('test',),
    ast.Subscript: ('value',),
    ast.FormattedValue: ('value',),
    ast.AugAssign: ('value',),
    ast.For: ('iter',),
    ast.Match: ('subject',),
    ast.comprehension: ('iter',),
}
"""The members of a parent node in which a value is needed."""
