"""Finds what breaks determinism in one function of workflow code: the rules ``G0..``."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define, field

from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import Edit, replaced
from genflow.tools.lint.names import CACHES, SEEDED, code_of
from genflow.tools.lint.project import (
    MUTATING,
    Class,
    Function,
    Module,
    Project,
    bindings,
    changed_by,
    dotted,
    function_of,
    own_nodes,
    unwrapped,
)

__all__ = ['Look', 'innermost', 'is_side_effect', 'yields_in']

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
"""What makes objects that change."""

ORDERLESS = frozenset({'sorted', 'sum', 'min', 'max', 'any', 'all', 'len', 'set', 'frozenset', 'bool', 'isinstance'})
ORDERED = frozenset({'list', 'tuple', 'iter', 'enumerate', 'zip', 'map', 'reversed', 'filter'})
COMBINATORS = frozenset({'all_of', 'any_of', 'first_of', 'first_success', 'as_completed'})
CONSTRUCTORS = ('__new__', '__init__', '__post_init__', '__attrs_post_init__')
PROPERTIES = frozenset({'property', 'cached_property'})
FACTORIES = frozenset({'factory', 'default_factory'})
SET_METHODS = frozenset({'copy', 'union', 'intersection', 'difference', 'symmetric_difference'})
SET_OPERATORS = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)
PURE_WITH_ARGUMENTS = {'time.localtime': 1, 'time.gmtime': 1, 'time.ctime': 1, 'time.asctime': 1, 'time.strftime': 2}
"""With so many arguments they read no clock."""

VALUES = frozenset({'os.environ', 'os.environb', 'sys.argv'})

CLOCK_FIXES = {
    'datetime.datetime.now': '{self}.now()',
    'datetime.datetime.utcnow': '{self}.now()',
    'datetime.datetime.today': '{self}.now()',
    'datetime.date.today': '{self}.now().date()',
    'time.time': '{self}.now().timestamp()',
}


def yields_in(nodes: list[ast.stmt] | list[ast.expr] | list[ast.AST]) -> bool:
    """Whether statements yield themselves, apart from functions that they define."""
    pending: list[ast.AST] = list(nodes)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(node))
    return False


def innermost(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.AST | None:
    """The function or lambda that a node stands in."""
    while node in parents:
        node = parents[node]
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return node
    return None


def is_side_effect(node: ast.AST) -> bool:
    """Whether it is ``self.side_effect(...)``, whose value is recorded."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == 'side_effect'
        and isinstance(node.func.value, ast.Name)
    )


@define(eq=False)
class Look:
    """One look at one function.

    Attributes:
        project: All modules.
        function: The function that is checked.
        cls: The workflow class, where it is a method of one; its ``self`` has what fixes need.
        chain: How workflow code gets there.
        given_sets: The parameters that the call which led here gives a set.
        calls: Functions of the project that it calls.
    """

    project: Project
    function: Function
    cls: Class | None
    chain: tuple[str, ...]
    given_sets: frozenset[str] = frozenset()
    calls: list[tuple[Function, ast.Call]] = field(factory=list)
    _parents: dict[ast.AST, ast.AST] = field(factory=dict)
    _sets: set[str] = field(factory=set)
    _aliases: dict[str, str] = field(factory=dict)
    _recorded: set[str] = field(factory=set)
    _globals: set[str] = field(factory=set)

    def findings(self) -> Iterator[Finding]:
        """What breaks the rules."""
        self._prepare()
        yield from self._cached()
        for node in self._parents:
            check = _CHECKS.get(type(node))
            if check is not None:
                yield from check(self, node)

    def _prepare(self) -> None:
        types: dict[str, set[str | None]] = {}
        sets: dict[str, list[bool]] = {}
        self._recorded = self._recorded_functions()
        self._walk(self.function.node)
        for node in self._parents:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                made = dotted(node.value) if isinstance(node.value, (ast.Call, ast.BinOp)) else None
                types.setdefault(name, set()).add(None if made is None else self.resolve(made))
                sets.setdefault(name, []).append(self._is_set(node.value))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                types.setdefault(node.target.id, set()).add(None)
                sets.setdefault(node.target.id, []).append(_says_set(node.annotation))
            elif isinstance(node, ast.arg):
                sets.setdefault(node.arg, []).append(_says_set(node.annotation) or node.arg in self.given_sets)
                made = dotted(_annotated(node.annotation) or ast.Constant(None))
                full = None if made is None else self.resolve(made)
                types.setdefault(node.arg, set()).add(None if full is None else f'{full}()')
            elif isinstance(node, ast.NamedExpr):
                sets.setdefault(node.target.id, []).append(self._is_set(node.value))
            elif isinstance(node, (ast.AugAssign, ast.For)) and isinstance(node.target, ast.Name):
                types.setdefault(node.target.id, set()).add(None)
                stays = isinstance(node, ast.AugAssign) and isinstance(node.op, SET_OPERATORS)
                sets.setdefault(node.target.id, []).append(stays)
        self.function.types = {
            name: found for name, (found, *more) in ((n, tuple(t)) for n, t in types.items()) if found and not more
        }
        self._sets = {name for name, values in sets.items() if all(values)}
        self._aliases = {**self._functions_by_default(), **self._names_of_functions()}
        self._globals = {name for node in self._parents if isinstance(node, ast.Global) for name in node.names}

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
        for node in self._parents:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                parent = self._parents[node]
                value = parent.value if isinstance(parent, ast.Assign) and parent.targets == [node] else None
                bound.setdefault(node.id, []).append(value)
        parameters = {node.arg for node in self._parents if isinstance(node, ast.arg)}
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
            full = self.project.stands_for(self.function.module, _default(node, name))
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
                self._parents[child] = node
                self._walk(child)

    def self_given(self, target: Function, call: ast.Call) -> str | None:
        """The parameter of a function outside of classes to which a call gives the workflow itself."""
        this = self.function.self_name
        if target.cls is not None or this is None or self.cls is None:
            return None
        names = [one.arg for one in (*target.node.args.posonlyargs, *target.node.args.args)]
        given = [*zip(names, call.args, strict=False), *((one.arg, one.value) for one in call.keywords)]
        return next((name for name, value in given if isinstance(value, ast.Name) and value.id == this), None)

    def sets_given(self, target: Function, call: ast.Call) -> frozenset[str]:
        """The parameters of a function to which a call gives sets."""
        names = [one.arg for one in (*target.node.args.posonlyargs, *target.node.args.args)]
        if target.cls is not None and target.self_name is not None and not self._names_class(call.func):
            names = names[1:]
        place = next((at for at, one in enumerate(call.args) if isinstance(one, ast.Starred)), len(call.args))
        found = [name for name, value in zip(names, call.args[:place], strict=False) if self._is_set(value)]
        found += [one.arg for one in call.keywords if one.arg is not None and self._is_set(one.value)]
        return frozenset(found)

    def _names_class(self, func: ast.expr) -> bool:
        """Whether a call names a method by its class, so that the first argument is the object."""
        owner = dotted(func.value) if isinstance(func, ast.Attribute) else None
        full = self.resolve(owner)
        return full is not None and not full.endswith('()') and self.project.class_named(full) is not None

    # names

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

    def _finding(self, node: ast.AST, code: str, text: str, fix: tuple[Edit, ...] = ()) -> Finding:
        return Finding.at(self.function, node, code, text, self.chain, fix)

    # checks

    def _cached(self) -> Iterator[Finding]:
        for decorator in self.function.node.decorator_list:
            name = self.resolve(dotted(_called_name(decorator)))
            self._wrapped_by(decorator, name)
            if name in CACHES:
                text = f'{self.function.name} keeps results for all executions in a module-level cache'
                yield self._finding(self.function.node, 'G014', text)

    def _wrapped_by(self, decorator: ast.expr, name: str | None) -> None:
        """Follows the function that a decorator of the project puts in the place of this one."""
        made_by = self.project.function_named(name) if name is not None and '()' not in name else None
        if made_by is None:
            return
        found: list[ast.FunctionDef | ast.AsyncFunctionDef] = [made_by.node]
        for _ in range(1 + isinstance(decorator, ast.Call)):  # `@timed`, or `@timed(5)` which makes the decorator
            found = [inner for one in found for inner in one.body if isinstance(inner, ast.FunctionDef)]
        for inner in found:
            names = made_by.locals | bindings(inner)
            function = Function(inner.name, inner, made_by.module, None, names, dict(made_by.imports))
            self.calls.append((function, ast.copy_location(ast.Call(decorator, [], []), decorator)))

    def check_call(self, node: ast.Call) -> Iterator[Finding]:
        name = self.resolve(dotted(node.func))
        made = self._by_maker(node.func) or self._of_member(name)
        if made is not None:
            yield from self._called_on_object(node, made)
        elif name is not None and not name.startswith('super()'):
            yield from self._called(node, name)
            self.calls += [(target, node) for target in self._targets(name)]
            yield from self._factories(node, name)
        else:
            self._called_on_self(node)
        self._called_of_table(node)
        yield from self._cached_value(node, name or '')
        yield from self._ordered(node)
        yield from self._mutated(node)

    def _called(self, node: ast.Call, name: str) -> Iterator[Finding]:
        code = code_of(name.replace('()', ''))
        owner = name.rpartition('.')[0]
        if code is None and owner.endswith('()'):
            code = code_of(name)
        seeded = name == SEEDED and node.args and not _is_none(node.args[0])
        if code is None or seeded or owner == f'{SEEDED}()':
            return
        if len(node.args) >= PURE_WITH_ARGUMENTS.get(name, sys.maxsize):
            return
        yield self._finding(node, code, _TEXTS[code].format(name=name.replace('()', '')), self._fix(node, name, code))

    def _by_maker(self, node: ast.AST) -> str | None:
        """A member of an object, by what has made the object: ``SESSION.get`` is ``requests.Session().get``.

        The object is one that a module, the class or the methods of the workflow keep.
        """
        name = dotted(node) or ''
        parts = name.split('.')
        if self.function.self_name is not None and parts[0] == self.function.self_name and len(parts) > 1:
            module, value = self._kept(parts[1])
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

    def _of_member(self, name: str | None) -> str | None:
        """A member of a member of an object: ``Env().clock.now`` is ``Clock().now``."""
        parts = (name or '').split('.')
        for at in range(len(parts) - 1, 1, -1):
            owner = '.'.join(parts[: at - 1])
            cls = self.project.class_named(owner.removesuffix('()')) if owner.endswith('()') else None
            values = _assigned_to_self(self.project, cls, parts[at - 1]) if cls is not None else []
            full = self.project.stands_for(cls.module, values[0]) if cls is not None and len(values) == 1 else None
            if full is not None:
                return '.'.join([full, *parts[at:]])
        return None

    def _kept(self, name: str) -> tuple[Module | None, ast.expr | None]:
        """The value of an attribute of the object itself, where it has but one, and the module that says so."""
        cls = self.cls or self.function.cls
        if cls is None:
            return None, None
        values = [(one.module, value) for one in self.project.family(cls) for value in one.stored.get(name, ())]
        member = self.project.member(cls, name)
        values += [(member[0].module, member[1])] if member is not None and member[1] is not None else []
        return values[0] if len(values) == 1 else (None, None)

    def _is_shared(self, func: ast.expr) -> bool:
        """Whether a method is called on an object that a module or class keeps."""
        owner = func.value if isinstance(func, ast.Attribute) else func
        if self._global(owner)[0] is not None:
            return True
        cls = self.cls or self.function.cls
        is_own = isinstance(owner, ast.Attribute) and dotted(owner.value) == self.function.self_name
        return is_own and cls is not None and self.project.member(cls, owner.attr) is not None  # type: ignore[attr-defined]

    def _called_on_object(self, node: ast.Call, made: str) -> Iterator[Finding]:
        yield from self._called(node, made)
        shared = self._is_shared(node.func)
        if shared and made.startswith(f'{SEEDED}()'):
            text = f'{ast.unparse(node.func)}() draws from a stream that all executions share; use self.random'
            yield self._finding(node, 'G002', text)
        for target in self._targets(made):
            self.calls.append((target, node))
            if shared and _changes_itself(target):
                text = f'{ast.unparse(node.func)}() changes an object that all executions of a worker share'
                yield self._finding(node, 'G012', text)

    def _called_of_table(self, node: ast.Call) -> None:
        """Follows ``TABLE[key]()`` and ``TABLE.get(key)()`` to every function of the table."""
        func = node.func
        if isinstance(func, ast.Call) and isinstance(func.func, ast.Attribute) and func.func.attr == 'get':
            table: ast.expr | None = func.func.value
        else:
            table = func.value if isinstance(func, ast.Subscript) else None
        owner, name = self._global(table) if table is not None else (None, '')
        value = None if owner is None else owner.values[name]
        if table is not None and owner is None and isinstance(table, ast.Attribute):
            owner, value = self._kept(table.attr) if dotted(table.value) == self.function.self_name else (None, None)
        if owner is None:
            return
        items = value.values if isinstance(value, ast.Dict) else getattr(value, 'elts', [])
        for item in items:
            if isinstance(item, ast.Lambda):
                made = function_of(item)
                self.calls.append((Function(made.name, made, owner, None, bindings(made)), node))
            else:
                full = self.project.stands_for(owner, item)
                self.calls += [(target, node) for target in self._targets(full)] if full is not None else []

    def _refers(self, node: ast.expr) -> None:
        """Follows a function of the project that is handed on, to be called by another."""
        parent = self._parents[node]
        handed = isinstance(parent, ast.keyword) or (isinstance(parent, ast.Call) and node in parent.args)
        if handed or isinstance(parent, (ast.List, ast.Tuple, ast.Dict, ast.Set)):
            name = self.resolve(dotted(node))
            target = self.project.function_named(name) if name is not None and '()' not in name else None
            if target is None and isinstance(node, ast.Attribute) and dotted(node.value) == self.function.self_name:
                owner = self.cls or self.function.cls
                target = None if owner is None else self.project.method(owner, node.attr)
            if target is not None and not any(
                _last(_called_name(one)) == 'activity' for one in target.node.decorator_list
            ):
                self.calls.append((target, ast.copy_location(ast.Call(node, [], []), node)))

    def check_with(self, node: ast.With) -> Iterator[Finding]:
        """Objects that a module or class keeps, and managers of the project's own classes."""
        for item in node.items:
            expression = item.context_expr
            made = self._by_maker(expression) or self.resolve(dotted(expression))
            if made is None:
                continue
            code = code_of(made.replace('()', '')) if not isinstance(expression, ast.Call) else None
            if code in _TEXTS and made.endswith('()'):
                yield self._finding(expression, code, _TEXTS[code].format(name=made.removesuffix('()')))
            cls = self.project.class_named(made.removesuffix('()')) if made.endswith('()') else None
            for name in ('__enter__', '__exit__') if cls is not None else ():
                method = self.project.method(cls, name) if cls is not None else None
                if method is not None:
                    self.calls.append((method, ast.copy_location(ast.Call(expression, [], []), node)))

    def _cached_value(self, node: ast.Call, name: str) -> Iterator[Finding]:
        """A function that its module has wrapped by hand: ``rate = lru_cache(maxsize=9)(_rate)``."""
        owner, _, last = name.rpartition('.')
        module = self.project.modules.get(owner)
        value = None if module is None else module.values.get(last)
        wrapper = value.func if isinstance(value, ast.Call) else None
        made_by = dotted(wrapper.func if isinstance(wrapper, ast.Call) else wrapper) if wrapper is not None else None
        if module is not None and made_by is not None and module.full_name(made_by) in CACHES:
            yield self._finding(node, 'G014', f'{last} keeps results for all executions in a module-level cache')
        for handed in value.args if module is not None and isinstance(value, ast.Call) else ():
            full = self.project.stands_for(module, handed)  # type: ignore[arg-type]
            self.calls += [(target, node) for target in self._targets(full)] if full is not None else []

    def _factories(self, node: ast.Call, name: str) -> Iterator[Finding]:
        """What the fields of a class of the project are made with: ``field(factory=datetime.now)``."""
        cls = self.project.class_named(name)
        given = set() if cls is None else self._fields_given(cls, node)
        for member, value in () if cls is None else cls.members.items():
            factory = _factory(value)
            if cls is None or factory is None or cls.name == getattr(self.cls, 'name', None) or member in given:
                continue
            calls = [one.func for one in ast.walk(factory) if isinstance(one, ast.Call)]
            for made_by in calls if isinstance(factory, ast.Lambda) else [factory]:
                full = cls.module.full_name(dotted(made_by) or '')
                code = code_of(full)
                if code in _TEXTS and full != SEEDED:
                    remedy = _REMEDIES.get(code, 'what an activity gives')
                    text = f'{cls.name}.{member} is made by {full}(); give {cls.name} the value: {remedy}'
                    yield self._finding(node, code, text)

    def _fields_given(self, cls: Class, node: ast.Call) -> set[str]:
        """The fields of a class to which a call gives values."""
        members = {name: value for one in reversed(self.project.family(cls)) for name, value in one.members.items()}
        fields = [name for name, value in members.items() if not _is_false(_argument(value, 'init'))]
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            return set(fields)
        named = {one.arg for one in node.keywords}
        return {*fields[: len(node.args)], *(name for name in fields if name in named or name.lstrip('_') in named)}

    def _targets(self, name: str) -> list[Function]:
        """The functions of the project that a call of a dotted name runs."""
        called = self.project.function_named(name.replace('()', ''))
        if called is not None:
            return [called]
        cls = self.project.class_named(name.removesuffix('()'))
        special = ('__call__',) if name.endswith('()') else CONSTRUCTORS  # of an instance, or of the class
        methods = [] if cls is None else [self.project.method(cls, one) for one in special]
        return [method for method in methods if method is not None]

    def _called_on_self(self, node: ast.Call) -> None:
        func = node.func
        if not isinstance(func, ast.Attribute):
            return
        if isinstance(func.value, ast.Name) and func.value.id == self.function.self_name:
            owner = self.cls or self.function.cls
        elif isinstance(func.value, ast.Call) and dotted(func.value) == 'super()':
            self.calls += [(target, node) for target in self._above(func.attr)]
            return
        else:
            return
        target = None if owner is None else self.project.method(owner, func.attr)
        if target is not None:
            self.calls.append((target, node))

    def _above(self, name: str) -> list[Function]:
        """The method that ``super()`` means: of the next class that has it, as seen from the class of the object."""
        own = self.function.cls
        line = [] if own is None else self.project.family(self.cls or own)
        after = line[line.index(own) + 1 :] if own in line else []
        return [cls.methods[name] for cls in after if name in cls.methods][:1]

    def _fix(self, node: ast.Call, name: str, code: str) -> tuple[Edit, ...]:
        own = self.function.node
        this = self.function.self_name
        is_default = any(one is node for one in ast.walk(own.args))  # made with the class: there is no self yet
        if self.cls is None or this is None or is_default or innermost(node, self._parents) is not own:
            return ()
        if code == 'G001' and name in CLOCK_FIXES:
            zone = _zone(node)
            place = '' if zone is None else f'.astimezone({zone})'
            return replaced(node, CLOCK_FIXES[name].format(self=this) + place)
        if code == 'G002' and name.startswith('random.') and name.count('.') == 1 and name[7].islower():
            return replaced(node.func, f'{this}.{name}')
        if code == 'G003' and name == 'uuid.uuid4':
            return replaced(node, f'{this}.uuid4()')
        may_yield = own.name == 'run' or yields_in(own.body)  # else it would make a generator of it
        if code == 'G008' and may_yield and isinstance(self._parents[node], ast.Expr):
            return (*replaced(node.func, f'yield {this}.sleep'),)
        return ()

    def check_attribute(self, node: ast.Attribute) -> Iterator[Finding]:
        parent = self._parents[node]
        if isinstance(parent, ast.Attribute):
            if self.resolve(dotted(node)) in VALUES:
                yield self._finding(node, 'G004', _TEXTS['G004'].format(name=dotted(node)))
            return
        if isinstance(parent, ast.Call) and parent.func is node:
            return
        name = self.resolve(dotted(node))
        self._property(node, self._by_maker(node) or name)
        self._refers(node)
        if name in VALUES:
            yield self._finding(node, 'G004', _TEXTS['G004'].format(name=name))
        elif (
            name is not None
            and code_of(name) in ('G001', 'G003', 'G008')
            and isinstance(parent, (ast.Call, ast.keyword))
        ):
            yield self._finding(node, code_of(name) or '', _TEXTS[code_of(name) or ''].format(name=name))
        elif isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from self._class_assigned(node)
            yield from self._member_set(node)

    def _member_set(self, node: ast.Attribute) -> Iterator[Finding]:
        """An attribute of a module, of a function, or of an object that a module keeps, which is set or deleted."""
        owner = self.resolve(dotted(node.value)) or ''
        kept = self._global(node.value)[0] is not None
        if kept or owner in self.project.modules or self._is_function(node.value):
            text = f'{ast.unparse(node)} belongs to a module, which all executions of a worker share'
            yield self._finding(node, 'G012', text)

    def _is_function(self, node: ast.expr) -> bool:
        name = self.resolve(dotted(node))
        return name is not None and '()' not in name and self.project.function_named(name) is not None

    def _property(self, node: ast.Attribute, name: str | None) -> None:
        """Follows a property, of the workflow's own or of an object whose class is known."""
        target = None
        if isinstance(node.value, ast.Name) and node.value.id == self.function.self_name:
            owner = self.cls or self.function.cls
            target = None if owner is None else self.project.method(owner, node.attr)
        elif name is not None and '()' in name:
            target = self.project.function_named(name.replace('()', ''))
        if target is not None and any(_last(one) in PROPERTIES for one in target.node.decorator_list):
            self.calls.append((target, ast.Call(node, [], [])))

    def check_await(self, node: ast.AST) -> Iterator[Finding]:
        yield self._finding(node, 'G104', 'a workflow yields its tasks; `await` does not work here')

    def check_async(self, node: ast.AsyncFunctionDef) -> Iterator[Finding]:
        yield self._finding(node, 'G104', f'{node.name} is async, and nothing awaits it; write `def` and yield')

    # sets

    def _is_set(self, node: ast.AST) -> bool:
        if isinstance(node, (ast.Set, ast.SetComp)):
            return True
        if isinstance(node, ast.BinOp) and isinstance(node.op, SET_OPERATORS):
            return any(self._is_set(side) or _is_view(side) for side in (node.left, node.right))
        if isinstance(node, (ast.IfExp, ast.BoolOp, ast.NamedExpr)):
            return any(map(self._is_set, _alternatives(node)))
        if isinstance(node, ast.Call):
            return self._is_set_call(node) or self._returns_set(node.func)
        if isinstance(node, ast.Name) and node.id in self._sets:
            return True
        owner, name = self._global(node)
        value = None if owner is None else owner.values[name]
        shared = value is not None and _makes_set(value)
        return shared or (isinstance(node, ast.Attribute) and self._is_set_of_self(node))

    def _is_set_call(self, node: ast.Call) -> bool:
        func = node.func
        if isinstance(func, ast.Attribute):
            if func.attr == 'fromkeys' and node.args:
                return dotted(func.value) == 'dict' and self._is_set(node.args[0])  # a dict in the order of the set
            return func.attr in SET_METHODS and self._is_set(func.value)
        return isinstance(func, ast.Name) and func.id in ('set', 'frozenset') and func.id not in self.function.locals

    def _returns_set(self, func: ast.expr) -> bool:
        """Whether it is a function of the project that says so, or returns nothing but sets."""
        if (
            isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Name)
            and func.value.id == self.function.self_name
        ):
            owner = self.cls or self.function.cls
            target = None if owner is None else self.project.method(owner, func.attr)
        else:
            name = self.resolve(dotted(func))
            target = None if name is None else self.project.function_named(name.replace('()', ''))
        if target is None or yields_in(target.node.body):
            return False
        if target.node.returns is not None:
            return _says_set(target.node.returns)
        found = [one.value for one in own_nodes(target.node) if isinstance(one, ast.Return)]
        return bool(found) and all(value is not None and _makes_set(value) for value in found)

    def _is_set_of_self(self, node: ast.Attribute) -> bool:
        """Whether it is an attribute of the workflow that all its methods set to sets."""
        if self.cls is None or not isinstance(node.value, ast.Name) or node.value.id != self.function.self_name:
            return False
        values = list(_assigned_to_self(self.project, self.cls, node.attr))
        member = self.project.member(self.cls, node.attr)
        values += [] if member is None or member[1] is None else [member[1]]
        return bool(values) and all(map(_makes_set, values))

    def check_for(self, node: ast.For) -> Iterator[Finding]:
        self._iterated(node.iter)
        if self._is_set(node.iter) and any(_depends_on_order(inner) for item in node.body for inner in ast.walk(item)):
            yield self._finding(
                node.iter, 'G010', 'this loop iterates over a set, whose order differs between processes'
            )

    def _iterated(self, node: ast.expr) -> None:
        """Follows the iteration over an object of a class of the project."""
        made = self._by_maker(node) or self.resolve(dotted(node)) or ''
        cls = self.project.class_named(made.removesuffix('()')) if made.endswith('()') else None
        for name in ('__iter__', '__next__') if cls is not None else ():
            method = self.project.method(cls, name) if cls is not None else None
            if method is not None:
                self.calls.append((method, ast.copy_location(ast.Call(node, [], []), node)))

    def check_starred(self, node: ast.Starred) -> Iterator[Finding]:
        if isinstance(node.ctx, ast.Load) and not isinstance(self._parents[node], ast.Set) and self._is_set(node.value):
            yield self._finding(node, 'G010', 'this unpacks a set, whose order differs between processes')

    def check_assign(self, node: ast.Assign) -> Iterator[Finding]:
        if isinstance(node.targets[0], (ast.Tuple, ast.List)) and self._is_set(node.value):
            yield self._finding(node.value, 'G010', 'this unpacks a set, whose order differs between processes')

    def check_comprehension(self, node: ast.ListComp | ast.DictComp | ast.GeneratorExp) -> Iterator[Finding]:
        parent = self._parents[node]
        for part in node.generators:
            self._iterated(part.iter)
        used = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ORDERLESS
        if not used and any(self._is_set(part.iter) for part in node.generators):
            yield self._finding(node, 'G010', 'this iterates over a set, whose order differs between processes')

    def _ordered(self, node: ast.Call) -> Iterator[Finding]:
        func = node.func
        if isinstance(func, ast.Name) and func.id in ORDERED:
            parent = self._parents[node]
            inside = isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in ORDERLESS
            if not inside and any(self._is_set(argument) for argument in node.args):
                yield self._finding(node, 'G010', f'{func.id}() of a set has an order that differs between processes')
        elif self._is_combinator(func) and any(map(self._is_set, node.args)):
            yield self._finding(node, 'G010', 'a set of tasks has an order that differs between processes')
        elif isinstance(func, ast.Attribute) and func.attr == 'map' and any(map(self._is_set, node.args[1:])):
            yield self._finding(node, 'G010', 'map() of a set has an order that differs between processes')
        elif isinstance(func, ast.Attribute) and func.attr == 'pop' and not node.args and self._is_set(func.value):
            yield self._finding(node, 'G010', 'which item a set gives first differs between processes')
        elif isinstance(func, ast.Attribute) and func.attr == 'join' and any(map(self._is_set, node.args)):
            yield self._finding(node, 'G010', 'join() of a set has an order that differs between processes')

    def _is_combinator(self, func: ast.expr) -> bool:
        owner, _, name = (self.resolve(dotted(func)) or '').rpartition('.')
        return owner.partition('.')[0] == 'genflow' and name in COMBINATORS

    def check_yield(self, node: ast.Yield) -> Iterator[Finding]:
        if self.cls is not None and isinstance(node.value, (ast.Set, ast.SetComp)):
            yield self._finding(node, 'G010', 'a set cannot be yielded, and has no order: yield a list')

    # state that is shared

    def _mutated(self, node: ast.Call) -> Iterator[Finding]:
        changed = changed_by(node)
        if changed is not None:
            yield from self._changes(changed, node)

    def check_subscript(self, node: ast.Subscript) -> Iterator[Finding]:
        if isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from self._changes(node.value, node)

    def check_name(self, node: ast.Name) -> Iterator[Finding]:
        if isinstance(node.ctx, ast.Load):
            self._refers(node)
            if self.resolve(node.id) in VALUES:
                yield self._finding(node, 'G004', _TEXTS['G004'].format(name=self.resolve(node.id)))
            if self.resolve(node.id) in ('id', 'hash') and isinstance(self._parents[node], (ast.keyword, ast.Call)):
                called = self._parents[node]
                if not (isinstance(called, ast.Call) and called.func is node):
                    yield self._finding(node, 'G011', _TEXTS['G011'].format(name=node.id))
            owner, name = self._global(node)
            changed = owner is not None and self.project.changed(owner, name)
            if changed and not self._is_change(node):
                yield self._finding(node, 'G012', f'{name} is a module-level object that functions change')
        elif node.id in self._globals:
            yield self._finding(node, 'G012', f'{node.id} is a global, which all executions of a worker share')

    def _is_change(self, node: ast.AST) -> bool:
        parent = self._parents[node]
        if isinstance(parent, ast.Attribute):
            above = self._parents[parent]
            return parent.attr in MUTATING and isinstance(above, ast.Call) and above.func is parent
        if isinstance(parent, ast.Call):
            return changed_by(parent) is node
        return isinstance(parent, ast.Subscript) and isinstance(parent.ctx, (ast.Store, ast.Del))

    def _changes(self, changed: ast.expr, node: ast.AST) -> Iterator[Finding]:
        owner, name = self._global(changed)
        if owner is not None and _is_mutable(owner.values.get(name)):
            yield self._finding(
                node, 'G012', f'{name} is a module-level object, which all executions of a worker share'
            )
        elif isinstance(changed, ast.Attribute) and self._is_function(changed.value):
            text = f'{ast.unparse(changed)} belongs to a function, which all executions of a worker share'
            yield self._finding(node, 'G012', text)
        elif isinstance(changed, ast.Attribute):
            yield from self._class_member(changed, node)
        elif isinstance(changed, ast.Name) and _is_mutable(_default(self.function.node, changed.id)):
            text = f'the default of {changed.id} is one object, which all calls of {self.function.name} share'
            yield self._finding(node, 'G012', text)

    def _global(self, node: ast.AST) -> tuple[Module | None, str]:
        """The module and name of a module-level value of the project."""
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None, ''
        full = self.resolve(dotted(node)) or ''
        module, _, name = full.rpartition('.')
        found = self.project.modules.get(module)
        return (found, name) if found is not None and name in found.values else (None, '')

    def _class_member(self, changed: ast.Attribute, node: ast.AST) -> Iterator[Finding]:
        if isinstance(changed.value, ast.Name) and changed.value.id == self.function.self_name:
            owner = self.cls or self.function.cls
        else:
            owner = self._class_meant(changed.value)
        if owner is None:
            return
        found = self.project.member(owner, changed.attr)
        own = isinstance(changed.value, ast.Name) and _sets_itself(self.project, owner, changed.attr)
        if found is not None and _is_mutable(found[1]) and not own:
            text = f'{changed.attr} is an attribute of the class, which all its executions in a worker share'
            yield self._finding(node, 'G013', text)

    def _class_assigned(self, node: ast.Attribute) -> Iterator[Finding]:
        if self._class_meant(node.value) is not None:
            text = f'{node.attr} is set on the class, which all its executions in a worker share'
            yield self._finding(node, 'G013', text)

    def _class_meant(self, node: ast.expr) -> Class | None:
        """The class that an expression stands for: by its name, ``type(self)``, ``self.__class__`` or ``cls``."""
        function = self.function
        is_cls = function.cls is not None and any(_last(one) == 'classmethod' for one in function.node.decorator_list)
        is_cls = is_cls and isinstance(node, ast.Name) and node.id == function.self_name
        if is_cls or self._is_own_class(node):
            return self.cls or function.cls
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


def _is_view(node: ast.expr) -> bool:
    """Whether it is the keys or items of a dict, which become a set in ``&``, ``-``, ``|`` and ``^``."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args
    return is_call and node.func.attr in ('keys', 'items')  # type: ignore[attr-defined]


def _factory(value: ast.expr | None) -> ast.expr | None:
    """What makes the default of a field: ``field(factory=f)``, ``Factory(f)``, ``field(default=Factory(f))``."""
    if isinstance(value, ast.Call) and _last(value.func) == 'Factory' and value.args:
        return value.args[0]
    given = next((found for name in FACTORIES if (found := _argument(value, name)) is not None), None)
    default = _argument(value, 'default')
    return _factory(default) if given is None and isinstance(default, ast.Call) else given


def _argument(value: ast.expr | None, name: str) -> ast.expr | None:
    keywords = value.keywords if isinstance(value, ast.Call) else []
    return next((one.value for one in keywords if one.arg == name), None)


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _zone(node: ast.Call) -> str | None:
    """The time zone that a call asks for, unless it is UTC, which ``self.now()`` has."""
    given = [*node.args, *(one.value for one in node.keywords)]
    zone = ast.unparse(given[0]) if given else 'None'
    return None if zone in ('None', 'UTC') or zone.endswith(('timezone.utc', '.UTC')) else zone


def _default(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    """The default of a parameter that the function binds to nothing else."""
    args = [*node.args.posonlyargs, *node.args.args]
    places = args[len(args) - len(node.args.defaults) :]
    defaults = dict(zip([one.arg for one in places], node.args.defaults, strict=True))
    defaults |= {
        one.arg: value for one, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value
    }
    if name not in defaults:
        return None
    names = [one for one in own_nodes(node) if isinstance(one, ast.Name) and one.id == name]
    return None if any(isinstance(one.ctx, ast.Store) for one in names) else defaults[name]


def _changes_itself(method: Function) -> bool:
    """Whether a method changes its own object."""
    for node in own_nodes(method.node):
        changed = changed_by(node)
        name = (dotted(changed) or '').partition('.')[0] if changed is not None else ''
        if name and name == method.self_name and method.name not in CONSTRUCTORS:
            return True
    return False


def _called_name(decorator: ast.expr) -> ast.expr:
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def _annotated(annotation: ast.expr | None) -> ast.expr | None:
    """The class that an annotation names: also of ``X | None``, ``Optional[X]`` and ``'X'``."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode='eval').body
        except SyntaxError:
            return None
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if not isinstance(side, ast.Constant)]
        annotation = sides[0] if len(sides) == 1 else None
    if isinstance(annotation, ast.Subscript) and _last(annotation.value) == 'Optional':
        annotation = annotation.slice
    return annotation if isinstance(annotation, (ast.Name, ast.Attribute)) else None


def _alternatives(node: ast.IfExp | ast.BoolOp | ast.NamedExpr) -> list[ast.expr]:
    """What an expression may give."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return node.values if isinstance(node, ast.BoolOp) else [node.value]


def _last(decorator: ast.expr) -> str:
    return (dotted(decorator) or '').rpartition('.')[2]


def _says_set(annotation: ast.expr | None) -> bool:
    named = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    return (dotted(named) or '').rpartition('.')[2] in ('set', 'frozenset', 'Set', 'FrozenSet') if named else False


def _makes_set(value: ast.expr) -> bool:
    if isinstance(value, (ast.Set, ast.SetComp)):
        return True
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ('set', 'frozenset')


def _assigned_to_self(project: Project, cls: Class, name: str) -> list[ast.expr]:
    """What the methods of a class assign to an attribute of their own object."""
    return [value for member in project.family(cls) for value in member.stored.get(name, ()) if value is not None]


def _depends_on_order(node: ast.AST) -> bool:
    return isinstance(node, (ast.Call, ast.Yield, ast.YieldFrom, ast.Return, ast.Break))


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    return isinstance(value, ast.Call) and (dotted(value.func) or '').rpartition('.')[2] in MUTABLE


def _sets_itself(project: Project, cls: Class, name: str) -> bool:
    """Whether a method assigns the attribute to its own object."""
    return any(name in member.stored for member in project.family(cls))


_REMEDIES = {
    'G001': 'self.now()',
    'G002': 'a number of self.random',
    'G003': 'self.uuid4()',
}

_TEXTS = {
    'G001': '{name}() reads the clock; use self.now()',
    'G002': '{name}() is random; use self.random',
    'G003': '{name}() is random; use self.uuid4()',
    'G004': '{name} depends on the machine; pass it as an argument or record it with self.side_effect',
    'G005': '{name}() depends on files; do it in an activity',
    'G006': '{name}() uses the network; do it in an activity',
    'G007': '{name}() starts or waits for something beside the workflow; use self.spawn and yield',
    'G008': '{name}() blocks the decider; use yield self.sleep(...)',
    'G009': '{name}() starts or ends a process; do it in an activity',
    'G011': '{name}() differs between processes',
    'G012': '{name}() is shared by all executions of a worker; keep state in self',
}

_CHECKS: dict[type, Callable[[Look, Any], Iterator[Finding]]] = {
    ast.Call: Look.check_call,
    ast.Attribute: Look.check_attribute,
    ast.Name: Look.check_name,
    ast.Subscript: Look.check_subscript,
    ast.For: Look.check_for,
    ast.ListComp: Look.check_comprehension,
    ast.DictComp: Look.check_comprehension,
    ast.GeneratorExp: Look.check_comprehension,
    ast.Starred: Look.check_starred,
    ast.Yield: Look.check_yield,
    ast.With: Look.check_with,
    ast.Assign: Look.check_assign,
    ast.AsyncFunctionDef: Look.check_async,
    ast.Await: Look.check_await,
    ast.AsyncFor: Look.check_await,
    ast.AsyncWith: Look.check_await,
}
