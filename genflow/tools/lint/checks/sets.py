"""Finds iteration over sets, whose order differs between processes: the rule ``G010``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from attrs import define, field

from genflow.tools.lint.checks.scope import Scope
from genflow.tools.lint.code.modules import Function
from genflow.tools.lint.code.syntax import alternatives, dotted, is_view, own_nodes, yields_in
from genflow.tools.lint.findings import Finding

__all__ = ['Sets']

ORDERLESS = frozenset({'sorted', 'sum', 'min', 'max', 'any', 'all', 'len', 'set', 'frozenset', 'bool', 'isinstance'})
ORDERED = frozenset({'list', 'tuple', 'iter', 'enumerate', 'zip', 'map', 'reversed', 'filter'})
COMBINATORS = frozenset({'all_of', 'any_of', 'first_of', 'first_success', 'as_completed'})
SET_METHODS = frozenset({'copy', 'union', 'intersection', 'difference', 'symmetric_difference'})
SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)


@define(eq=False)
class Sets:
    """The sets of one function.

    Attributes:
        scope: The function.
        given: The parameters that the call which led here gives a set.
    """

    scope: Scope
    given: frozenset[str] = frozenset()
    _names: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        """Finds the local names that are bound to sets and to nothing else."""
        sets: dict[str, list[bool]] = {}
        for node in self.scope.parents:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                sets.setdefault(node.targets[0].id, []).append(self.is_set(node.value))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                sets.setdefault(node.target.id, []).append(_says_set(node.annotation))
            elif isinstance(node, ast.arg):
                sets.setdefault(node.arg, []).append(_says_set(node.annotation) or node.arg in self.given)
            elif isinstance(node, ast.NamedExpr):
                sets.setdefault(node.target.id, []).append(self.is_set(node.value))
            elif isinstance(node, (ast.AugAssign, ast.For)) and isinstance(node.target, ast.Name):
                stays = isinstance(node, ast.AugAssign) and isinstance(node.op, SET_OPERATORS)
                sets.setdefault(node.target.id, []).append(stays)
        self._names = {name for name, values in sets.items() if all(values)}

    def looped(self, node: ast.For) -> Iterator[Finding]:
        """A loop over a set in which the order shows."""
        if self.is_set(node.iter) and any(_depends_on_order(inner) for item in node.body for inner in ast.walk(item)):
            text = 'this loop iterates over a set, whose order differs between processes'
            yield self.scope.finding(node.iter, 'G010', text)

    def comprehension(self, node: ast.ListComp | ast.DictComp | ast.GeneratorExp) -> Iterator[Finding]:
        """A comprehension over a set, unless it is used where no order shows."""
        parent = self.scope.parents[node]
        used = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ORDERLESS
        if not used and any(self.is_set(part.iter) for part in node.generators):
            yield self.scope.finding(node, 'G010', 'this iterates over a set, whose order differs between processes')

    def starred(self, node: ast.Starred) -> Iterator[Finding]:
        if (
            isinstance(node.ctx, ast.Load)
            and not isinstance(self.scope.parents[node], ast.Set)
            and self.is_set(node.value)
        ):
            yield self.scope.finding(node, 'G010', 'this unpacks a set, whose order differs between processes')

    def assigned(self, node: ast.Assign) -> Iterator[Finding]:
        if isinstance(node.targets[0], (ast.Tuple, ast.List)) and self.is_set(node.value):
            yield self.scope.finding(node.value, 'G010', 'this unpacks a set, whose order differs between processes')

    def ordered(self, node: ast.Call) -> Iterator[Finding]:
        func = node.func
        if isinstance(func, ast.Name) and func.id in ORDERED:
            parent = self.scope.parents[node]
            inside = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ORDERLESS
            if not inside and any(self.is_set(argument) for argument in node.args):
                yield self.scope.finding(
                    node, 'G010', f'{func.id}() of a set has an order that differs between processes'
                )
        elif self._is_combinator(func) and any(map(self.is_set, node.args)):
            yield self.scope.finding(node, 'G010', 'a set of tasks has an order that differs between processes')
        elif isinstance(func, ast.Attribute) and func.attr == 'map' and any(map(self.is_set, node.args[1:])):
            yield self.scope.finding(node, 'G010', 'map() of a set has an order that differs between processes')
        elif isinstance(func, ast.Attribute) and func.attr == 'pop' and not node.args and self.is_set(func.value):
            yield self.scope.finding(node, 'G010', 'which item a set gives first differs between processes')
        elif isinstance(func, ast.Attribute) and func.attr == 'join' and any(map(self.is_set, node.args)):
            yield self.scope.finding(node, 'G010', 'join() of a set has an order that differs between processes')

    def _is_combinator(self, func: ast.expr) -> bool:
        owner, _, name = (self.scope.resolve(dotted(func)) or '').rpartition('.')
        return owner.partition('.')[0] == 'genflow' and name in COMBINATORS

    def yielded(self, node: ast.Yield) -> Iterator[Finding]:
        if self.scope.cls is not None and isinstance(node.value, (ast.Set, ast.SetComp)):
            yield self.scope.finding(node, 'G010', 'a set cannot be yielded, and has no order: yield a list')

    # which expressions are sets

    def is_set(self, node: ast.AST) -> bool:
        if isinstance(node, (ast.Set, ast.SetComp)):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, SET_OPERATORS):
            return any(self.is_set(side) or is_view(side) for side in (node.left, node.right))
        if isinstance(node, (ast.IfExp, ast.BoolOp, ast.NamedExpr)):
            return any(map(self.is_set, alternatives(node)))
        if isinstance(node, ast.Call):
            return self._is_set_call(node) or self._returns_set(node.func)
        if isinstance(node, ast.Name) and node.id in self._names:
            return True
        owner, name = self.scope.module_value(node)
        value = None if owner is None else owner.values[name]
        shared = value is not None and _makes_set(value)
        return shared or (isinstance(node, ast.Attribute) and self._is_set_of_self(node))

    def _is_set_call(self, node: ast.Call) -> bool:
        func = node.func
        if isinstance(func, ast.Attribute):
            if func.attr == 'fromkeys' and node.args:
                return dotted(func.value) == 'dict' and self.is_set(node.args[0])  # a dict in the order of the set
            return func.attr in SET_METHODS and self.is_set(func.value)
        return (
            isinstance(func, ast.Name) and func.id in ('set', 'frozenset') and func.id not in self.scope.function.locals
        )

    def _returns_set(self, func: ast.expr) -> bool:
        """Whether it is a function of the project that says so, or returns nothing but sets."""
        if isinstance(func, ast.Attribute) and self.scope.is_self(func.value):
            owner = self.scope.owner
            target = None if owner is None else self.scope.project.method(owner, func.attr)
        else:
            name = self.scope.resolve(dotted(func))
            target = None if name is None else self.scope.project.function_named(name.replace('()', ''))
        if target is None or yields_in(target.node.body):
            return False
        if target.node.returns is not None:
            return _says_set(target.node.returns)
        found = [one.value for one in own_nodes(target.node) if isinstance(one, ast.Return)]
        return bool(found) and all(value is not None and _makes_set(value) for value in found)

    def _is_set_of_self(self, node: ast.Attribute) -> bool:
        """Whether it is an attribute of the workflow that all its methods set to sets."""
        if self.scope.cls is None or not self.scope.is_self(node.value):
            return False
        values = list(self.scope.project.assigned_to_self(self.scope.cls, node.attr))
        member = self.scope.project.member(self.scope.cls, node.attr)
        values += [] if member is None or member[1] is None else [member[1]]
        return bool(values) and all(map(_makes_set, values))

    def given_by(self, target: Function, call: ast.Call) -> frozenset[str]:
        """The parameters of a function to which a call gives sets."""
        names = [one.arg for one in (*target.node.args.posonlyargs, *target.node.args.args)]
        if target.cls is not None and target.self_name is not None and not self.scope.names_class(call.func):
            names = names[1:]
        place = next((at for at, one in enumerate(call.args) if isinstance(one, ast.Starred)), len(call.args))
        found = [name for name, value in zip(names, call.args[:place], strict=False) if self.is_set(value)]
        found += [one.arg for one in call.keywords if one.arg is not None and self.is_set(one.value)]
        return frozenset(found)


def _says_set(annotation: ast.expr | None) -> bool:
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return (dotted(named) or '').rpartition('.')[2] in ('set', 'frozenset', 'Set', 'FrozenSet') if named else False


def _makes_set(value: ast.expr) -> bool:
    if isinstance(value, (ast.Set, ast.SetComp)):
        return True
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ('set', 'frozenset')


def _depends_on_order(node: ast.AST) -> bool:
    return isinstance(node, (ast.Call, ast.Yield, ast.YieldFrom, ast.Return, ast.Break))
