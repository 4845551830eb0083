"""Resolves names in one function, by assignments, imports, type hints and defaults."""

from __future__ import annotations

import ast
import builtins

from attrs import define, field

from genflow.tools.lint.code.modules import Class, Function, Module
from genflow.tools.lint.code.names import code_of
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.syntax import (
    annotated,
    default_of,
    dotted,
    is_side_effect,
    last_name,
    own_nodes,
    unwrapped,
)
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import Edit

__all__ = ['Scope']


@define(eq=False)
class Scope:
    """One function as workflow code reaches it.

    Attributes:
        project: All modules.
        function: The function.
        cls: The workflow class, where it is a method of one; its ``self`` has what fixes need.
        chain: How workflow code gets there: the names of the functions from a method of the workflow on.
        parents: Every node to look at, in order, with the one around it; what a side effect does is left out.
        globals: The names that the function declares global.
    """

    project: Project
    function: Function
    cls: Class | None
    chain: tuple[str, ...]
    parents: dict[ast.AST, ast.AST] = field(factory=dict)
    globals: set[str] = field(factory=set)
    _aliases: dict[str, str] = field(factory=dict)
    _recorded: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self._recorded = self._recorded_functions()
        self._walk(self.function.node)
        self.function.types = self._types()
        self._aliases = {**self._functions_by_default(), **self._names_of_functions()}
        self.globals = {name for node in self.parents if isinstance(node, ast.Global) for name in node.names}

    @property
    def owner(self) -> Class | None:
        """The class of ``self``: the workflow's, else the one that the method stands in."""
        return self.cls or self.function.cls

    def is_self(self, node: ast.AST | None) -> bool:
        """Whether an expression is the object itself: the name of the first parameter."""
        return isinstance(node, ast.Name) and node.id == self.function.self_name

    def resolve(self, name: str | None) -> str | None:
        """The full name of a dotted name as the function sees it; ``None`` where that is not known."""
        if name is None:
            return None
        root, dot, rest = name.partition('.')
        called = root.endswith('()')
        root = root.removesuffix('()')
        full = self._root(root)
        if full is None:
            return None
        return full + ('()' if called else '') + dot + rest

    def _root(self, root: str) -> str | None:
        function, module = self.function, self.function.module
        for known in (function.imports, self._aliases, function.types):
            if root in known:
                return known[root]
        if root in function.locals:
            return None
        if root in module.imports:
            return self.project.canonical(module.imports[root])
        if root in module.functions or root in module.classes or root in module.values:
            return self.project.canonical(f'{module.name}.{root}')
        found = self.project.star(module, root)
        if found is not None:
            return self.project.canonical(found)
        return root if hasattr(builtins, root) else None

    def finding(self, node: ast.AST, code: str, text: str, fix: tuple[Edit, ...] = ()) -> Finding:
        """A finding at a node of the function."""
        return Finding.at(self.function, node, code, text, self.chain, fix)

    def self_given(self, target: Function, call: ast.Call) -> str | None:
        """The parameter of a function outside of classes to which a call gives the workflow itself."""
        this = self.function.self_name
        if target.cls is not None or this is None or self.cls is None:
            return None
        names = [one.arg for one in (*target.node.args.posonlyargs, *target.node.args.args)]
        given = [*zip(names, call.args, strict=False), *((one.arg, one.value) for one in call.keywords)]
        return next((name for name, value in given if isinstance(value, ast.Name) and value.id == this), None)

    def by_maker(self, node: ast.AST) -> str | None:
        """A member of an object, by the call that made the object: ``SESSION.get`` is ``requests.Session().get``.

        The object is one that a module, the class or the methods of the workflow keep.
        """
        name = dotted(node) or ''
        parts = name.split('.')
        if self.function.self_name is not None and parts[0] == self.function.self_name and len(parts) > 1:
            module, value = self.kept(parts[1])
            rest = parts[2:]
        else:
            parts = (self.resolve(name) or '').split('.')
            at = next((n for n in range(len(parts), 0, -1) if '.'.join(parts[:n]) in self.project.modules), 0)
            module = self.project.modules.get('.'.join(parts[:at]))
            value = module.values.get(parts[at]) if module is not None and at < len(parts) else None
            rest = parts[at + 1 :]
        value = unwrapped(value)
        if module is None or not isinstance(value, (ast.Call, ast.BinOp, ast.Name, ast.Attribute)):
            return None
        full = self.project.stands_for(module, value)
        return None if full is None or full.startswith('genflow.') else '.'.join([full, *rest])

    def of_member(self, name: str | None) -> str | None:
        """A member of a member of an object: ``Env().clock.now`` is ``Clock().now``."""
        parts = (name or '').split('.')
        for at in range(len(parts) - 1, 1, -1):
            owner = '.'.join(parts[: at - 1])
            cls = self.project.class_named(owner.removesuffix('()')) if owner.endswith('()') else None
            values = self.project.assigned_to_self(cls, parts[at - 1]) if cls is not None else []
            full = self.project.stands_for(cls.module, values[0]) if cls is not None and len(values) == 1 else None
            if full is not None:
                return '.'.join([full, *parts[at:]])
        return None

    def kept(self, name: str) -> tuple[Module | None, ast.expr | None]:
        """The only value that an attribute of ``self`` has, with its module; ``(None, None)`` if there are more."""
        cls = self.owner
        if cls is None:
            return None, None
        values = [(one.module, value) for one in self.project.family(cls) for value in one.stored.get(name, ())]
        member = self.project.member(cls, name)
        values += [(member[0].module, member[1])] if member is not None and member[1] is not None else []
        return values[0] if len(values) == 1 else (None, None)

    def module_value(self, node: ast.AST) -> tuple[Module | None, str]:
        """The module and name of a module-level value of the project."""
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None, ''
        full = self.resolve(dotted(node)) or ''
        module, _, name = full.rpartition('.')
        found = self.project.modules.get(module)
        return (found, name) if found is not None and name in found.values else (None, '')

    def is_function(self, node: ast.expr) -> bool:
        """Whether an expression names a function of the project."""
        name = self.resolve(dotted(node))
        return name is not None and '()' not in name and self.project.function_named(name) is not None

    def names_class(self, func: ast.expr) -> bool:
        """Whether a call names a method by its class, so that the first argument is the object."""
        owner = dotted(func.value) if isinstance(func, ast.Attribute) else None
        full = self.resolve(owner)
        return full is not None and not full.endswith('()') and self.project.class_named(full) is not None

    def class_meant(self, node: ast.expr) -> Class | None:
        """The class that an expression stands for: by its name, ``type(self)``, ``self.__class__`` or ``cls``."""
        function = self.function
        is_cls = function.cls is not None and any(
            last_name(one) == 'classmethod' for one in function.node.decorator_list
        )
        is_cls = is_cls and isinstance(node, ast.Name) and node.id == function.self_name
        if is_cls or self._is_own_class(node):
            return self.owner
        name = self.resolve(dotted(node))
        return None if name is None or '()' in name else self.project.class_named(name)

    def _is_own_class(self, node: ast.expr) -> bool:
        """Whether it is ``type(self)`` or ``self.__class__``."""
        this = self.function.self_name
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'type' and node.args:
            node = node.args[0]
        elif isinstance(node, ast.Attribute) and node.attr == '__class__':
            node = node.value
        else:
            return False
        return this is not None and isinstance(node, ast.Name) and node.id == this

    # what assignments say

    def _types(self) -> dict[str, str]:
        """The class of each local name that is bound to an instance of one class and to nothing else."""
        types: dict[str, set[str | None]] = {}
        for node in self.parents:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                made = dotted(node.value) if isinstance(node.value, (ast.Call, ast.BinOp)) else None
                types.setdefault(node.targets[0].id, set()).add(None if made is None else self.resolve(made))
            elif isinstance(node, ast.arg):
                made = dotted(annotated(node.annotation) or ast.Constant(None))
                full = None if made is None else self.resolve(made)
                types.setdefault(node.arg, set()).add(None if full is None else f'{full}()')
            elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.For)) and isinstance(node.target, ast.Name):
                types.setdefault(node.target.id, set()).add(None)
        return {name: found for name, (found, *more) in ((n, tuple(t)) for n, t in types.items()) if found and not more}

    def _walk(self, node: ast.AST) -> None:
        """Remembers the nodes in order, but not annotations, decorators and what a side effect does."""
        left_out = [getattr(node, name, None) for name in ('annotation', 'returns', 'decorator_list')]
        if is_side_effect(node):
            left_out += node.args  # type: ignore[attr-defined]
        if isinstance(node, ast.FunctionDef) and node.name in self._recorded:
            return
        skipped = {id(item) for part in left_out for item in (part if isinstance(part, list) else [part])}
        for child in ast.iter_child_nodes(node):
            if id(child) not in skipped and not isinstance(child, ast.ClassDef):
                self.parents[child] = node
                self._walk(child)

    def _recorded_functions(self) -> set[str]:
        """The functions inside of this one that are handed to ``self.side_effect`` and nothing else."""
        inner = {one.name for one in own_nodes(self.function.node) if isinstance(one, ast.FunctionDef)}
        if not inner:
            return inner
        recorded = {id(one) for node in own_nodes(self.function.node) if is_side_effect(node) for one in ast.walk(node)}
        used = [one for one in own_nodes(self.function.node) if isinstance(one, ast.Name) and one.id in inner]
        return {one.id for one in used} - {one.id for one in used if id(one) not in recorded}

    def _names_of_functions(self) -> dict[str, str]:
        """What local names stand for that are bound once, to a function: ``clock = time.time``, ``partial(stamp)``."""
        bound: dict[str, list[ast.expr | None]] = {}
        for node in self.parents:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                parent = self.parents[node]
                value = parent.value if isinstance(parent, ast.Assign) and parent.targets == [node] else None
                bound.setdefault(node.id, []).append(value)
        parameters = {node.arg for node in self.parents if isinstance(node, ast.arg)}
        found = {}
        for name, values in bound.items():
            value = values[0] if len(values) == 1 and name not in parameters else None
            if isinstance(value, ast.Call) and value.args and self.resolve(dotted(value.func)) == 'functools.partial':
                value = value.args[0]
            full = self.resolve(dotted(value)) if isinstance(value, (ast.Name, ast.Attribute)) else None
            if full is not None:
                found[name] = full
        return found

    def _functions_by_default(self) -> dict[str, str]:
        """What parameters of the workflow's own methods stand for that no call gives: ``clock=time.time``."""
        if self.cls is None or self.function.cls is None or self.function.given_self is not None:
            return {}
        node = self.function.node
        positional = [*node.args.posonlyargs, *node.args.args]
        found: dict[str, str] = {}
        for place, name in enumerate(one.arg for one in [*positional, *node.args.kwonlyargs]):
            full = self.project.stands_for(self.function.module, default_of(node, name))
            is_function = full is not None and (code_of(full) or self.project.function_named(full)) is not None
            if full is not None and is_function and not self._is_given(name, min(place, len(positional))):
                found[name] = full
        return found

    def _is_given(self, name: str, place: int) -> bool:
        """Whether a call in the project may give a parameter to this method, by its name or at its place."""
        calls = [
            node
            for module in self.project.modules.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Call) and any(map(self._may_be_this, (node.func, *node.args)))
        ]
        return any(
            len(node.args) >= place
            or any(isinstance(one, ast.Starred) for one in node.args)
            or any(keyword.arg in (name, None) for keyword in node.keywords)
            for node in calls
        )

    def _may_be_this(self, node: ast.expr) -> bool:
        """Whether it may be this method; other objects have a ``run``, too, such as a saga."""
        if not isinstance(node, ast.Attribute) or node.attr != self.function.name:
            return False
        return node.attr != 'run' or dotted(node.value) == 'super()'
