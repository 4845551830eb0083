"""Finds the functions of the project that a function runs, so that the check continues in them."""

from __future__ import annotations

import ast

from attrs import define, field

from genflow.tools.lint.checks.scope import Scope
from genflow.tools.lint.code.modules import Function
from genflow.tools.lint.code.syntax import bindings, called_name, dotted, function_of, last_name

__all__ = ['CONSTRUCTORS', 'Followed']

CONSTRUCTORS = ('__new__', '__init__', '__post_init__', '__attrs_post_init__')
PROPERTIES = frozenset({'property', 'cached_property'})


@define(eq=False)
class Followed:
    """The functions that one function runs, by calling them or by handing them on.

    Attributes:
        scope: The function.
        calls: The functions found so far, each with the call that runs it.
    """

    scope: Scope
    calls: list[tuple[Function, ast.Call]] = field(factory=list)

    def named(self, node: ast.Call, name: str) -> None:
        """Follows a call of a dotted name."""
        self.calls += [(target, node) for target in self.targets(name)]

    def managed(self, node: ast.With, expression: ast.expr, made: str) -> None:
        """Follows a ``with`` of an object of a class of the project."""
        cls = self.scope.project.class_named(made.removesuffix('()')) if made.endswith('()') else None
        for name in ('__enter__', '__exit__') if cls is not None else ():
            method = self.scope.project.method(cls, name) if cls is not None else None
            if method is not None:
                self.calls.append((method, ast.copy_location(ast.Call(expression, [], []), node)))

    def on_self(self, node: ast.Call) -> None:
        """Follows a call of a method of the object itself, or of ``super()``."""
        func = node.func
        if not isinstance(func, ast.Attribute):
            return
        if self.scope.is_self(func.value):
            owner = self.scope.owner
        elif isinstance(func.value, ast.Call) and dotted(func.value) == 'super()':
            self.calls += [(target, node) for target in self._above(func.attr)]
            return
        else:
            return
        target = None if owner is None else self.scope.project.method(owner, func.attr)
        if target is not None:
            self.calls.append((target, node))

    def _above(self, name: str) -> list[Function]:
        """The method that ``super()`` means: of the next class that has it, as seen from the class of the object."""
        own = self.scope.function.cls
        line = [] if own is None else self.scope.project.family(self.scope.cls or own)
        after = line[line.index(own) + 1 :] if own in line else []
        return [cls.methods[name] for cls in after if name in cls.methods][:1]

    def of_table(self, node: ast.Call) -> None:
        """Follows ``TABLE[key]()`` and ``TABLE.get(key)()`` to every function of the table."""
        func = node.func
        if isinstance(func, ast.Call) and isinstance(func.func, ast.Attribute) and func.func.attr == 'get':
            table: ast.expr | None = func.func.value
        else:
            table = func.value if isinstance(func, ast.Subscript) else None
        owner, name = self.scope.module_value(table) if table is not None else (None, '')
        value = None if owner is None else owner.values[name]
        if table is not None and owner is None and isinstance(table, ast.Attribute):
            owner, value = self.scope.kept(table.attr) if self.scope.is_self(table.value) else (None, None)
        if owner is None:
            return
        items = value.values if isinstance(value, ast.Dict) else getattr(value, 'elts', [])
        for item in items:
            if isinstance(item, ast.Lambda):
                made = function_of(item)
                self.calls.append((Function(made.name, made, owner, None, bindings(made)), node))
            else:
                full = self.scope.project.stands_for(owner, item)
                self.calls += [(target, node) for target in self.targets(full)] if full is not None else []

    def handed_on(self, node: ast.expr) -> None:
        """Follows a function of the project that is passed as an argument or kept in a container."""
        parent = self.scope.parents[node]
        handed = isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and node in parent.args)
        if handed or isinstance(parent, (ast.List, ast.Tuple, ast.Dict, ast.Set)):
            name = self.scope.resolve(dotted(node))
            target = self.scope.project.function_named(name) if name is not None and '()' not in name else None
            if target is None and isinstance(node, ast.Attribute) and self.scope.is_self(node.value):
                owner = self.scope.owner
                target = None if owner is None else self.scope.project.method(owner, node.attr)
            if target is not None and not any(
                last_name(called_name(one)) == 'activity' for one in target.node.decorator_list
            ):
                self.calls.append((target, ast.copy_location(ast.Call(node, [], []), node)))

    def property(self, node: ast.Attribute, name: str | None) -> None:
        """Follows a property, of the workflow's own or of an object whose class is known."""
        target = None
        if self.scope.is_self(node.value):
            owner = self.scope.owner
            target = None if owner is None else self.scope.project.method(owner, node.attr)
        elif name is not None and '()' in name:
            target = self.scope.project.function_named(name.replace('()', ''))
        if target is not None and any(last_name(one) in PROPERTIES for one in target.node.decorator_list):
            self.calls.append((target, ast.Call(node, [], [])))

    def iterated(self, node: ast.expr) -> None:
        """Follows the iteration over an object of a class of the project."""
        made = self.scope.by_maker(node) or self.scope.resolve(dotted(node)) or ''
        cls = self.scope.project.class_named(made.removesuffix('()')) if made.endswith('()') else None
        for name in ('__iter__', '__next__') if cls is not None else ():
            method = self.scope.project.method(cls, name) if cls is not None else None
            if method is not None:
                self.calls.append((method, ast.copy_location(ast.Call(node, [], []), node)))

    def decorated(self, decorator: ast.expr, name: str | None) -> None:
        """Follows the function that a decorator of the project puts in the place of this one."""
        made_by = self.scope.project.function_named(name) if name is not None and '()' not in name else None
        if made_by is None:
            return
        found: list[ast.FunctionDef | ast.AsyncFunctionDef] = [made_by.node]
        for _ in range(1 + isinstance(decorator, ast.Call)):  # `@timed`, or `@timed(5)` which makes the decorator
            found = [inner for one in found for inner in one.body if isinstance(inner, ast.FunctionDef)]
        for inner in found:
            names = made_by.locals | bindings(inner)
            function = Function(inner.name, inner, made_by.module, None, names, dict(made_by.imports))
            self.calls.append((function, ast.copy_location(ast.Call(decorator, [], []), decorator)))

    def targets(self, name: str) -> list[Function]:
        """The functions of the project that a call of a dotted name runs."""
        called = self.scope.project.function_named(name.replace('()', ''))
        if called is not None:
            return [called]
        cls = self.scope.project.class_named(name.removesuffix('()'))
        special = ('__call__',) if name.endswith('()') else CONSTRUCTORS  # of an instance, or of the class
        methods = [] if cls is None else [self.scope.project.method(cls, one) for one in special]
        return [method for method in methods if method is not None]
