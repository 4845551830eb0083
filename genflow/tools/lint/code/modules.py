"""The modules, classes and functions of a project, each with its syntax tree and the names that it defines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from attrs import Factory, define

from genflow.tools.lint.code.sources import lines_of
from genflow.tools.lint.code.syntax import FunctionNode, bindings, dotted, own_nodes

__all__ = ['Class', 'Function', 'Module', 'imported', 'source_module']


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
                    self._imports.update(imported(inner, self.module))
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
        """The values that methods store in attributes of ``self``, by name; ``None`` for one that is not plain."""
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
        is_asked: Whether it is checked itself, and not only imported by a checked module.
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
        """The dotted name behind a name at the top level of the module, by its imports."""
        root, dot, rest = name.partition('.')
        return self.imports.get(root, root) + dot + rest


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


def imported(node: ast.Import | ast.ImportFrom, module: Module) -> dict[str, str]:
    """The names that an import binds in a module, each with the dotted name that it stands for."""
    if isinstance(node, ast.Import):
        return {
            (alias.asname or alias.name.partition('.')[0]): (
                alias.name if alias.asname else alias.name.partition('.')[0]
            )
            for alias in node.names
        }
    base = source_module(node, module)
    return {alias.asname or alias.name: f'{base}.{alias.name}' for alias in node.names if alias.name != '*'}


def source_module(node: ast.Import | ast.ImportFrom, module: Module) -> str:
    """The dotted name of the module that a ``from`` names."""
    base = (node.module if isinstance(node, ast.ImportFrom) else None) or ''
    level = node.level if isinstance(node, ast.ImportFrom) else 0
    if not level:
        return base
    package = module.name.split('.') if module.path.stem == '__init__' else module.name.split('.')[:-1]
    kept = package[: len(package) - level + 1]
    return '.'.join([*kept, base] if base else kept)
