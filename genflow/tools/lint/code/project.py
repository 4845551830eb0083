"""All modules of a project: what a name means across them, and which classes are workflows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

from genflow.tools.lint.code.modules import Class, Function, Module
from genflow.tools.lint.code.names import public_names
from genflow.tools.lint.code.reading import collect, parsed, place_of
from genflow.tools.lint.code.syntax import FunctionNode, changed_by, dotted, own_nodes, unwrapped

__all__ = ['Project']

WORKFLOWS = frozenset({'genflow.Workflow', 'genflow.core.authoring.workflow.Workflow'})
ACTIVITIES = frozenset({'genflow.Activity', 'genflow.core.authoring.activity.Activity'})


@define(eq=False)
class Project:
    """All modules that are looked at."""

    modules: dict[str, Module] = field(factory=dict)
    _by_end: dict[str, list[str]] = field(factory=dict)
    _changed: set[tuple[str, str]] | None = None
    _families: dict[int, list[Class]] = field(factory=dict)

    def add(self, path: Path, source: str, name: str | None = None, *, is_asked: bool = True) -> Module:
        """Reads a module.

        Raises:
            SyntaxError: It is no Python, or nested too deeply.
        """
        tree = parsed(path, source)
        module = Module(path, name or place_of(path)[1], source, tree, is_asked)
        try:
            collect(module)
        except RecursionError as error:
            raise SyntaxError('this is too deeply nested', (str(path), 1, 0, '')) from error
        parts = module.name.split('.') if module.name not in self.modules else []
        for start in range(1, len(parts)):
            self._by_end.setdefault('.'.join(parts[start:]), []).append(module.name)
        self.modules[module.name] = module
        self._changed = None
        self._families.clear()
        return module

    def is_workflow(self, cls: Class) -> bool:
        """Whether a class is a workflow, by the classes that it is made from."""
        return any(self.canonical(base) in WORKFLOWS for base in self._all_bases(cls))

    def is_activity(self, cls: Class) -> bool:
        return any(self.canonical(base) in ACTIVITIES for base in self._all_bases(cls))

    def is_known(self, cls: Class) -> bool:
        """Whether every base is of the project or genflow's own: whether all attributes can be known."""
        return all(
            self.canonical(base) in WORKFLOWS or self.class_named(base) is not None for base in self._all_bases(cls)
        )

    def canonical(self, name: str) -> str:
        """The dotted name of the definition behind a name, through imports, aliases and ``import *``."""
        seen: set[str] = set()
        while name not in seen:
            seen.add(name)
            owner, _, last = name.rpartition('.')
            module = self._module(owner)
            if module is None or last in module.functions or last in module.classes:
                break
            name = self._passed_on(module, last) or name
        return name

    def _passed_on(self, module: Module, name: str) -> str | None:
        if name in module.imports:
            return module.imports[name]
        if name in module.values:
            value = unwrapped(module.values[name])
            alias = dotted(value) if isinstance(value, (ast.Name, ast.Attribute)) else None
            root, dot, rest = (alias or '').partition('.')
            known = root in module.imports or root in module.functions or root in module.classes
            return module.imports.get(root, f'{module.name}.{root}') + dot + rest if known else None
        return self.star(module, name)

    def stands_for(self, module: Module, value: ast.expr | None) -> str | None:
        """The dotted name that an expression means at the top level of a module; ``f()`` is the result of a call."""
        value = unwrapped(value)
        name = dotted(value) if isinstance(value, (ast.Name, ast.Attribute, ast.Call, ast.BinOp)) else None
        if name is None:
            return None
        root, dot, rest = name.partition('.')
        called = '()' if root.endswith('()') else ''
        root = root.removesuffix('()')
        return self.canonical(module.imports.get(root, f'{module.name}.{root}')) + called + dot + rest

    def changed(self, module: Module, name: str) -> bool:
        """Whether a function of the project changes a module-level value, other than while modules are imported."""
        if self._changed is None:
            decorators = set(self._decorators())
            functions = [one for each in self.modules.values() for one in each.every]
            self._changed = {
                found for one in functions if one.name not in decorators for found in self._changes_of(one)
            }
        return (module.name, name) in self._changed

    def _decorators(self) -> Iterator[str]:
        """The names of functions that decorate: they run when a module is imported."""
        for module in self.modules.values():
            nodes: list[FunctionNode | ast.ClassDef] = [one.node for one in module.every]
            nodes += [one.node for one in module.every_class]
            for node in nodes:
                for decorator in node.decorator_list:
                    named = decorator.func if isinstance(decorator, ast.Call) else decorator
                    yield (dotted(named) or '').rpartition('.')[2]

    def _changes_of(self, function: Function) -> Iterator[tuple[str, str]]:
        for node in own_nodes(function.node):
            if isinstance(node, ast.Global):
                yield from ((function.module.name, name) for name in node.names)
            changed = changed_by(node)
            name = dotted(changed) if changed is not None else None
            if name is None or '()' in name or name.partition('.')[0] in function.locals:
                continue
            root, dot, rest = name.partition('.')
            outside = function.imports.get(root) or function.module.imports.get(root)
            full = (outside or f'{function.module.name}.{root}') + dot + rest
            owner, _, last = full.rpartition('.')
            found = self._module(owner)
            if found is not None and last in found.values:
                yield found.name, last

    def star(self, module: Module, name: str, seen: frozenset[str] = frozenset()) -> str | None:
        """The dotted name of a name that a module has from ``import *``."""
        for star in module.stars:
            source = self._module(star)
            if source is None and (name in public_names(star)):
                return f'{star}.{name}'
            if source is not None and source.name not in seen:
                own = (source.functions, source.classes, source.values, source.imports)
                if any(name in names for names in own):
                    return f'{source.name}.{name}'
                found = self.star(source, name, seen | {module.name})
                if found is not None:
                    return found
        return None

    def family(self, cls: Class) -> list[Class]:
        """A class and its bases in the project, nearest first."""
        known = self._families.get(id(cls))
        if known is not None:
            return known
        found: list[Class] = []
        pending = [cls]
        while pending:
            current = pending.pop(0)
            if current not in found:
                found.append(current)
                pending += [base for base in map(self.class_named, current.bases) if base is not None]
        self._families[id(cls)] = found
        return found

    def _all_bases(self, cls: Class) -> Iterator[str]:
        for member in self.family(cls):
            yield from member.bases

    def class_named(self, name: str) -> Class | None:
        """The class of a dotted name."""
        module, _, last = self.canonical(name).rpartition('.')
        found = self._module(module)
        return None if found is None else found.classes.get(last)

    def function_named(self, name: str) -> Function | None:
        """The function or method of a dotted name."""
        module, _, last = self.canonical(name).rpartition('.')
        found = self._module(module)
        if found is not None and last in found.functions:
            return found.functions[last]
        owner = self.class_named(module)
        return None if owner is None else self.method(owner, last)

    def method(self, cls: Class, name: str) -> Function | None:
        """A method of a class or of its bases."""
        return next((member.methods[name] for member in self.family(cls) if name in member.methods), None)

    def member(self, cls: Class, name: str) -> tuple[Class, ast.expr | None] | None:
        """A member that the body of a class or of one of its bases assigns."""
        return next(((owner, owner.members[name]) for owner in self.family(cls) if name in owner.members), None)

    def assigned_to_self(self, cls: Class, name: str) -> list[ast.expr]:
        """What the methods of a class assign to an attribute of their own object."""
        return [value for member in self.family(cls) for value in member.stored.get(name, ()) if value is not None]

    def _module(self, name: str) -> Module | None:
        if name in self.modules or name.partition('.')[0] in sys.stdlib_module_names:
            return self.modules.get(name)
        ends = self._by_end.get(name, [])
        return self.modules[ends[0]] if len(ends) == 1 else None
