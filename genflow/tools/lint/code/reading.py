"""Reads a file: its syntax tree, and the names that its top level and its classes define."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from genflow.tools.lint.code.modules import Class, Function, Module, imported, source_module
from genflow.tools.lint.code.syntax import TRIES, FunctionNode, dotted, function_of

__all__ = ['collect', 'parsed', 'place_of']


def parsed(path: Path, source: str) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        SyntaxError: The source is no Python, has a null byte or is nested too deeply; the error names the file.
    """
    try:
        return ast.parse(source, filename=str(path))
    except SyntaxError as error:
        error.filename, error.lineno = str(path), error.lineno or 1  # a null byte has no place
        raise
    except (ValueError, RecursionError, MemoryError) as error:  # a null byte, before Python 3.12; too deeply nested
        raise SyntaxError(str(error) or 'this is too deeply nested', (str(path), 1, 0, '')) from error


def place_of(path: Path) -> tuple[Path, str]:
    """The folder from which a file is imported, above all packages, and its dotted name from there."""
    parts = [path.stem] if path.stem != '__init__' else []
    folder = path.absolute().parent
    while (folder / '__init__.py').exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, '.'.join(parts) or folder.name


def collect(module: Module) -> None:
    """Fills a module with what its tree defines."""
    _Reader(module).read()


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
            module.imports.update(imported(node, module))
            module.stars += [f'{source_module(node, module)}' for alias in node.names if alias.name == '*']
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
        elif isinstance(node, TRIES):
            yield from _top_level(node.body + [s for handler in node.handlers for s in handler.body] + node.orelse)


def _module_imports(tree: ast.Module, module: Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in _top_level(tree.body):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(imported(node, module))
    return found
