"""Finds changes of state that the executions of a worker share: the rules ``G012`` and ``G013``."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from attrs import define

from genflow.tools.lint.checks.scope import Scope
from genflow.tools.lint.code.modules import Class
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.syntax import MUTATING, changed_by, default_of, dotted
from genflow.tools.lint.findings import Finding

__all__ = ['SharedState']

MUTABLE = frozenset(
    {
        'bytearray',
        'ChainMap',
        'Counter',
        'count',
        'cycle',
        'defaultdict',
        'deque',
        'dict',
        'iter',
        'LRUCache',
        'list',
        'OrderedDict',
        'set',
        'TTLCache',
        'UserDict',
        'UserList',
        'WeakKeyDictionary',
        'WeakSet',
        'WeakValueDictionary',
    }
)
"""The names of functions and classes that make mutable objects."""


@define(eq=False)
class SharedState:
    """The changes that one function makes to objects of modules, classes, functions and defaults."""

    scope: Scope

    def named(self, node: ast.Name) -> Iterator[Finding]:
        """A module-level value that functions change, or a name that the function declares global and binds."""
        if not isinstance(node.ctx, ast.Load):
            if node.id in self.scope.globals:
                yield self.scope.finding(node, 'G012', f'{node.id} is a global, which all executions of a worker share')
            return
        owner, name = self.scope.module_value(node)
        changed = owner is not None and self.scope.project.changed(owner, name)
        if changed and not self._is_change(node):
            yield self.scope.finding(node, 'G012', f'{name} is a module-level object that functions change')

    def member_set(self, node: ast.Attribute) -> Iterator[Finding]:
        """An attribute of a module, of a function, or of an object that a module keeps, which is set or deleted."""
        owner = self.scope.resolve(dotted(node.value)) or ''
        kept = self.scope.module_value(node.value)[0] is not None
        if kept or owner in self.scope.project.modules or self.scope.is_function(node.value):
            text = f'{ast.unparse(node)} belongs to a module, which all executions of a worker share'
            yield self.scope.finding(node, 'G012', text)

    def class_assigned(self, node: ast.Attribute) -> Iterator[Finding]:
        if self.scope.class_meant(node.value) is not None:
            text = f'{node.attr} is set on the class, which all its executions in a worker share'
            yield self.scope.finding(node, 'G013', text)

    def subscript(self, node: ast.Subscript) -> Iterator[Finding]:
        if isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from self._changes(node.value, node)

    def mutated(self, node: ast.Call) -> Iterator[Finding]:
        changed = changed_by(node)
        if changed is not None:
            yield from self._changes(changed, node)

    def is_shared(self, func: ast.expr) -> bool:
        """Whether a method is called on an object that a module or class keeps."""
        owner = func.value if isinstance(func, ast.Attribute) else func
        if self.scope.module_value(owner)[0] is not None:
            return True
        cls = self.scope.owner
        is_own = isinstance(owner, ast.Attribute) and self.scope.is_self(owner.value)
        return is_own and cls is not None and self.scope.project.member(cls, owner.attr) is not None  # type: ignore[attr-defined]

    def _is_change(self, node: ast.AST) -> bool:
        parent = self.scope.parents[node]
        if isinstance(parent, ast.Attribute):
            above = self.scope.parents[parent]
            return parent.attr in MUTATING and isinstance(above, ast.Call) and above.func is parent
        if isinstance(parent, ast.Call):
            return changed_by(parent) is node
        return isinstance(parent, ast.Subscript) and isinstance(parent.ctx, (ast.Store, ast.Del))

    def _changes(self, changed: ast.expr, node: ast.AST) -> Iterator[Finding]:
        owner, name = self.scope.module_value(changed)
        if owner is not None and _is_mutable(owner.values.get(name)):
            yield self.scope.finding(
                node, 'G012', f'{name} is a module-level object, which all executions of a worker share'
            )
        elif isinstance(changed, ast.Attribute) and self.scope.is_function(changed.value):
            text = f'{ast.unparse(changed)} belongs to a function, which all executions of a worker share'
            yield self.scope.finding(node, 'G012', text)
        elif isinstance(changed, ast.Attribute):
            yield from self._class_member(changed, node)
        elif isinstance(changed, ast.Name) and _is_mutable(default_of(self.scope.function.node, changed.id)):
            text = f'the default of {changed.id} is one object, which all calls of {self.scope.function.name} share'
            yield self.scope.finding(node, 'G012', text)

    def _class_member(self, changed: ast.Attribute, node: ast.AST) -> Iterator[Finding]:
        owner = self.scope.owner if self.scope.is_self(changed.value) else self.scope.class_meant(changed.value)
        if owner is None:
            return
        found = self.scope.project.member(owner, changed.attr)
        own = isinstance(changed.value, ast.Name) and _sets_itself(self.scope.project, owner, changed.attr)
        if found is not None and _is_mutable(found[1]) and not own:
            text = f'{changed.attr} is an attribute of the class, which all its executions in a worker share'
            yield self.scope.finding(node, 'G013', text)


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    return isinstance(value, ast.Call) and (dotted(value.func) or '').rpartition('.')[2] in MUTABLE


def _sets_itself(project: Project, cls: Class, name: str) -> bool:
    """Whether a method assigns the attribute to its own object."""
    return any(name in member.stored for member in project.family(cls))
