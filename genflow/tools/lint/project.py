"""The modules of a project as trees: what a name means in each of them, and which classes are workflows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import Factory, define, field

from genflow.tools.lint.names import public_names
from genflow.tools.lint.sources import lines_of

__all__ = [
    'MUTATING',
    'Class',
    'Function',
    'Module',
    'Project',
    'bindings',
    'changed_by',
    'dotted',
    'function_of',
    'own_nodes',
    'place_of',
    'unwrapped',
]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

WORKFLOWS = frozenset({'genflow.Workflow', 'genflow.core.authoring.workflow.Workflow'})
ACTIVITIES = frozenset({'genflow.Activity', 'genflow.core.authoring.activity.Activity'})


@define(eq=False)
class Function:
    """A function or method.

    Attributes:
        cls: The class that it is a method of.
        types: Dotted names of classes whose instances its local names are, as far as an assignment says so.
        given_self: The parameter to which a workflow hands itself, of a function that is no method.
    """

    name: str
    node: FunctionNode
    module: Module
    cls: Class | None = None
    _locals: set[str] | None = None
    _imports: dict[str, str] | None = None
    types: dict[str, str] = Factory(dict)
    given_self: str | None = None

    @property
    def locals(self) -> set[str]:
        """Names that it binds itself; imports inside it are not among them."""
        if self._locals is None:
            self._locals = bindings(self.node)
        return self._locals

    @property
    def imports(self) -> dict[str, str]:
        """Names that it imports."""
        if self._imports is None:
            self._imports = {}
            for inner in ast.walk(self.node):
                if isinstance(inner, (ast.Import, ast.ImportFrom)):
                    self._imports.update(_imported(inner, self.module))
        return self._imports

    @property
    def qualname(self) -> str:
        return self.name if self.cls is None else f'{self.cls.name}.{self.name}'

    @property
    def self_name(self) -> str | None:
        """The name by which it knows the workflow: the first parameter of a method."""
        if self.given_self is not None:
            return self.given_self
        args = self.node.args.posonlyargs + self.node.args.args
        static = any(isinstance(d, ast.Name) and d.id == 'staticmethod' for d in self.node.decorator_list)
        return args[0].arg if self.cls is not None and args and not static else None


@define(eq=False)
class Class:
    """A class: its methods, what its body assigns, and its bases as dotted names."""

    name: str
    node: ast.ClassDef
    module: Module
    bases: list[str] = Factory(list)
    methods: dict[str, Function] = Factory(dict)
    members: dict[str, ast.expr | None] = Factory(dict)
    _stored: dict[str, list[ast.expr | None]] | None = None

    @property
    def stored(self) -> dict[str, list[ast.expr | None]]:
        """What its methods store in attributes of their own object: by name, the values as far as they are plain."""
        if self._stored is None:
            self._stored = {}
            for method in self.methods.values():
                for name, value in _stored(method):
                    self._stored.setdefault(name, []).append(value)
        return self._stored


@define(eq=False)
class Module:
    """A file: its tree, and the names of its top level.

    Attributes:
        is_asked: Whether it is one of those to look at, and not only imported by them.
        stars: The modules of which it imports everything.
    """

    path: Path
    name: str
    source: str
    tree: ast.Module
    is_asked: bool = True
    imports: dict[str, str] = Factory(dict)
    stars: list[str] = Factory(list)
    functions: dict[str, Function] = Factory(dict)
    classes: dict[str, Class] = Factory(dict)
    values: dict[str, ast.expr | None] = Factory(dict)
    every: list[Function] = Factory(list)
    every_class: list[Class] = Factory(list)
    _lines: list[str] = Factory(list)

    @property
    def lines(self) -> list[str]:
        """The lines of the source, each with its end."""
        if not self._lines:
            self._lines = lines_of(self.source)
        return self._lines

    def column(self, line: int, offset: int) -> int:
        """The column of a character, from 1, where ``ast`` counts bytes from 0."""
        text = self.lines[line - 1] if line <= len(self.lines) else ''
        return len(text.encode()[:offset].decode()) + 1 if not text.isascii() else offset + 1

    def full_name(self, name: str) -> str:
        """What a dotted name stands for at the top level of the module, by its imports."""
        root, dot, rest = name.partition('.')
        return self.imports.get(root, root) + dot + rest


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
            SyntaxError: It is no Python.
        """
        tree = _parsed(path, source)
        module = Module(path, name or place_of(path)[1], source, tree, is_asked)
        _Reader(module).read()
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
        """The dotted name of what a name stands for that a module only passes on: by import, alias or ``import *``."""
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
        """The dotted name of what an expression means at the top level of a module; ``f()`` is what a call makes."""
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

    def _module(self, name: str) -> Module | None:
        if name in self.modules or name.partition('.')[0] in sys.stdlib_module_names:
            return self.modules.get(name)
        ends = self._by_end.get(name, [])
        return self.modules[ends[0]] if len(ends) == 1 else None


def _parsed(path: Path, source: str) -> ast.Module:
    try:
        return ast.parse(source, filename=str(path))
    except SyntaxError as error:
        error.filename, error.lineno = str(path), error.lineno or 1  # a null byte has no place
        raise
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte, before Python 3.12; too deeply nested
        raise SyntaxError(str(error) or 'this is too deeply nested', (str(path), 1, 0, '')) from error


def _stored(method: Function) -> Iterator[tuple[str, ast.expr | None]]:
    values: dict[int, ast.expr | None] = {}
    for node in own_nodes(method.node):
        if isinstance(node, ast.Assign):
            values.update((id(target), node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            values[id(node.target)] = node.value
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_own(node, method):
            value = values.get(id(node))
            root = (dotted(value) or '').partition('.')[0].removesuffix('()') if value is not None else ''
            yield node.attr, None if root in method.locals else value


def _is_own(node: ast.Attribute, method: Function) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == method.self_name


def place_of(path: Path) -> tuple[Path, str]:
    """The folder from which a file is imported, above all packages, and its dotted name from there."""
    parts = [path.stem] if path.stem != '__init__' else []
    folder = path.absolute().parent
    while (folder / '__init__.py').exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, '.'.join(parts) or folder.name


class _Reader:
    """Collects what a module defines."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def read(self) -> None:
        module = self._module
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                self._class(node, top=node in module.tree.body)
        for node in _top_level(module.tree.body):
            self._top(node)

    def _top(self, node: ast.stmt) -> None:
        module = self._module
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            module.imports.update(_imported(node, module))
            module.stars += [f'{_source(node, module)}' for alias in node.names if alias.name == '*']
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            module.functions[node.name] = self._function(node, None)
        elif isinstance(node, ast.Assign):
            for name, value in _assigned(node):
                self._value(name, value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._value(node.target.id, node.value)

    def _value(self, name: str, value: ast.expr | None) -> None:
        if not isinstance(value, ast.Lambda):
            self._module.values[name] = value
            return
        self._module.functions[name] = self._function(function_of(value, name), None)

    def _class(self, node: ast.ClassDef, *, top: bool) -> None:
        module = self._module
        cls = Class(node.name, node, module)
        imports = {**_module_imports(module.tree, module)}
        for base in node.bases:
            name = dotted(base.value if isinstance(base, ast.Subscript) else base)
            if name is not None:
                root, _, rest = name.partition('.')
                full = imports.get(root, f'{module.name}.{root}')
                cls.bases.append(f'{full}.{rest}' if rest else full)
        for item in node.body:
            if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)):
                cls.methods[item.name] = self._function(item, cls)
            elif isinstance(item, ast.Assign):
                cls.members.update(_assigned(item))
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                cls.members[item.target.id] = item.value
        module.every_class.append(cls)
        if top or node.name not in module.classes:
            module.classes[node.name] = cls

    def _function(self, node: FunctionNode, cls: Class | None) -> Function:
        function = Function(node.name, node, self._module, cls)
        self._module.every.append(function)
        return function


MUTATING = frozenset(
    {
        'add',
        'append',
        'appendleft',
        'clear',
        'difference_update',
        'discard',
        'extend',
        'extendleft',
        'insert',
        'intersection_update',
        'pop',
        'popitem',
        'popleft',
        'remove',
        'reverse',
        'rotate',
        'setdefault',
        'sort',
        'symmetric_difference_update',
        'update',
    }
)
"""Methods that change a list, dict, set or deque."""


def changed_by(node: ast.AST) -> ast.expr | None:
    """What a node changes: by a method, an item, an attribute, or ``next``."""
    if isinstance(node, ast.Call):
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in MUTATING:
            return func.value
        return node.args[0] if isinstance(func, ast.Name) and func.id == 'next' and node.args else None
    stored = isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, (ast.Store, ast.Del))
    return node.value if stored else None  # type: ignore[attr-defined]


def unwrapped(value: ast.expr | None) -> ast.expr | None:
    """The function of ``partial(function, ...)`` and ``staticmethod(function)``; else the expression itself."""
    while isinstance(value, ast.Call) and value.args:
        if (dotted(value.func) or '').rpartition('.')[2] not in ('partial', 'staticmethod'):
            break
        value = value.args[0]
    return value


def function_of(value: ast.Lambda, name: str = '<lambda>') -> ast.FunctionDef:
    """A lambda as a function."""
    made = ast.FunctionDef(name, value.args, [ast.copy_location(ast.Return(value.body), value)], [])
    return ast.copy_location(made, value)


def _assigned(node: ast.Assign) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that an assignment binds, each with its value where that is plain."""
    for target in node.targets:
        for inner in ast.walk(target):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id, node.value if inner is target else None


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those inside of ``if`` and ``try`` too."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _top_level(node.body + node.orelse)
        elif isinstance(node, ast.Try):
            yield from _top_level(node.body + [s for handler in node.handlers for s in handler.body] + node.orelse)


def _module_imports(tree: ast.Module, module: Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in _top_level(tree.body):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(_imported(node, module))
    return found


def _imported(node: ast.Import | ast.ImportFrom, module: Module) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {
            (alias.asname or alias.name.partition('.')[0]): (
                alias.name if alias.asname else alias.name.partition('.')[0]
            )
            for alias in node.names
        }
    base = _source(node, module)
    return {alias.asname or alias.name: f'{base}.{alias.name}' for alias in node.names if alias.name != '*'}


def _source(node: ast.Import | ast.ImportFrom, module: Module) -> str:
    """The dotted name of the module that a ``from`` names."""
    base = (node.module if isinstance(node, ast.ImportFrom) else None) or ''
    level = node.level if isinstance(node, ast.ImportFrom) else 0
    if not level:
        return base
    package = module.name.split('.') if module.path.stem == '__init__' else module.name.split('.')[:-1]
    kept = package[: len(package) - level + 1]
    return '.'.join([*kept, base] if base else kept)


def dotted(node: ast.AST) -> str | None:
    """``a.b.c`` of names and attributes; ``a.b()`` stands for an instance."""
    parts: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Call, ast.BinOp)):
        if isinstance(node, ast.BinOp):  # Path(...) / 'name' is a Path again
            inner = dotted(node.left) if isinstance(node.op, ast.Div) else None
            return '.'.join([inner, *reversed(parts)]) if inner is not None and inner.endswith('Path()') else None
        if isinstance(node, ast.Call):
            inner = dotted(node.func)
            return None if inner is None else '.'.join([f'{inner}()', *reversed(parts)])
        parts.append(node.attr)
        node = node.value
    return '.'.join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, those of nested functions and lambdas too, but not of nested classes."""
    pending = [*ast.iter_child_nodes(node)][::-1]
    while pending:
        current = pending.pop()
        yield current
        if not isinstance(current, ast.ClassDef):
            pending += [*ast.iter_child_nodes(current)][::-1]


def bindings(node: FunctionNode) -> set[str]:
    """The names that a function binds: parameters, assignments, loops, handlers; not those it declares global."""
    found: set[str] = set()
    outside: set[str] = set()
    for inner in own_nodes(node):
        if isinstance(inner, ast.arg):
            found.add(inner.arg)
        elif isinstance(inner, ast.Name) and isinstance(inner.ctx, (ast.Store, ast.Del)):
            found.add(inner.id)
        elif isinstance(inner, ast.ExceptHandler) and inner.name:
            found.add(inner.name)
        elif isinstance(inner, ast.Global):
            outside.update(inner.names)
        elif isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(inner.name)
    return found - outside
