"""Finds what breaks determinism in one function of workflow code: the rules ``G0..``."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field

from genflow.tools.lint.checks.following import CONSTRUCTORS, Followed
from genflow.tools.lint.checks.scope import Scope
from genflow.tools.lint.checks.sets import Sets
from genflow.tools.lint.checks.shared_state import SharedState
from genflow.tools.lint.code.modules import Class, Function
from genflow.tools.lint.code.names import CACHES, SEEDED, code_of
from genflow.tools.lint.code.syntax import (
    called_name,
    changed_by,
    dotted,
    innermost,
    is_false,
    is_none,
    keyword,
    last_name,
    own_nodes,
    yields_in,
)
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import Edit, replaced

__all__ = ['Look']

FACTORIES = frozenset({'factory', 'default_factory'})
PURE_WITH_ARGUMENTS = {'time.localtime': 1, 'time.gmtime': 1, 'time.ctime': 1, 'time.asctime': 1, 'time.strftime': 2}
"""Functions that read the clock only if they are called with fewer arguments than this."""

VALUES = frozenset({'os.environ', 'os.environb', 'sys.argv'})

CLOCK_FIXES = {
    'datetime.datetime.now': '{self}.now()',
    'datetime.datetime.utcnow': '{self}.now()',
    'datetime.datetime.today': '{self}.now()',
    'datetime.date.today': '{self}.now().date()',
    'time.time': '{self}.now().timestamp()',
}


@define(eq=False)
class Look:
    """The check of one function.

    Attributes:
        scope: The function, and what names mean in it.
        sets: Which of its expressions are sets.
        shared: What it does to state that executions share.
        followed: The functions of the project that it runs.
    """

    scope: Scope
    sets: Sets
    shared: SharedState = field(init=False)
    followed: Followed = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.shared = SharedState(self.scope)
        self.followed = Followed(self.scope)

    def findings(self) -> Iterator[Finding]:
        """The findings in the function; afterwards, ``followed.calls`` is complete."""
        yield from self._cached()
        for node in self.scope.parents:
            check = _CHECKS.get(type(node))
            if check is not None:
                yield from check(self, node)

    def check_call(self, node: ast.Call) -> Iterator[Finding]:
        name = self.scope.resolve(dotted(node.func))
        made = self.scope.by_maker(node.func) or self.scope.of_member(name)
        if made is not None:
            yield from self._called_on_object(node, made)
        elif name is not None and not name.startswith('super()'):
            yield from self._called(node, name)
            self.followed.named(node, name)
            yield from self._factories(node, name)
        else:
            self.followed.on_self(node)
        self.followed.of_table(node)
        yield from self._cached_value(node, name or '')
        yield from self.sets.ordered(node)
        yield from self.shared.mutated(node)

    def _called(self, node: ast.Call, name: str) -> Iterator[Finding]:
        code = code_of(name.replace('()', ''))
        owner = name.rpartition('.')[0]
        if code is None and owner.endswith('()'):
            code = code_of(name)
        seeded = name == SEEDED and node.args and not is_none(node.args[0])
        if code is None or seeded or owner == f'{SEEDED}()':
            return
        if len(node.args) >= PURE_WITH_ARGUMENTS.get(name, sys.maxsize):
            return
        yield self.scope.finding(
            node, code, _TEXTS[code].format(name=name.replace('()', '')), self._fix(node, name, code)
        )

    def _called_on_object(self, node: ast.Call, made: str) -> Iterator[Finding]:
        yield from self._called(node, made)
        shared = self.shared.is_shared(node.func)
        if shared and made.startswith(f'{SEEDED}()'):
            text = f'{ast.unparse(node.func)}() draws from a stream that all executions share; use self.random'
            yield self.scope.finding(node, 'G002', text)
        for target in self.followed.targets(made):
            self.followed.calls.append((target, node))
            if shared and _changes_itself(target):
                text = f'{ast.unparse(node.func)}() changes an object that all executions of a worker share'
                yield self.scope.finding(node, 'G012', text)

    def _cached(self) -> Iterator[Finding]:
        for decorator in self.scope.function.node.decorator_list:
            name = self.scope.resolve(dotted(called_name(decorator)))
            self.followed.decorated(decorator, name)
            if name in CACHES:
                text = f'{self.scope.function.name} keeps results for all executions in a module-level cache'
                yield self.scope.finding(self.scope.function.node, 'G014', text)

    def _cached_value(self, node: ast.Call, name: str) -> Iterator[Finding]:
        """A function that its module has wrapped by hand: ``rate = lru_cache(maxsize=9)(_rate)``."""
        owner, _, last = name.rpartition('.')
        module = self.scope.project.modules.get(owner)
        value = None if module is None else module.values.get(last)
        wrapper = value.func if isinstance(value, ast.Call) else None
        made_by = dotted(wrapper.func if isinstance(wrapper, ast.Call) else wrapper) if wrapper is not None else None
        if module is not None and made_by is not None and module.full_name(made_by) in CACHES:
            yield self.scope.finding(node, 'G014', f'{last} keeps results for all executions in a module-level cache')
        for handed in value.args if module is not None and isinstance(value, ast.Call) else ():
            full = self.scope.project.stands_for(module, handed)  # type: ignore[arg-type]
            if full is not None:
                self.followed.named(node, full)

    def _factories(self, node: ast.Call, name: str) -> Iterator[Finding]:
        """What the fields of a class of the project are made with: ``field(factory=datetime.now)``."""
        cls = self.scope.project.class_named(name)
        given = set() if cls is None else self._fields_given(cls, node)
        for member, value in () if cls is None else cls.members.items():
            factory = _factory(value)
            if cls is None or factory is None or cls.name == getattr(self.scope.cls, 'name', None) or member in given:
                continue
            calls = [one.func for one in ast.walk(factory) if isinstance(one, ast.Call)]
            for made_by in calls if isinstance(factory, ast.Lambda) else [factory]:
                full = cls.module.full_name(dotted(made_by) or '')
                code = code_of(full)
                if code in _TEXTS and full != SEEDED:
                    remedy = _REMEDIES.get(code, 'what an activity gives')
                    text = f'{cls.name}.{member} is made by {full}(); give {cls.name} the value: {remedy}'
                    yield self.scope.finding(node, code, text)

    def _fields_given(self, cls: Class, node: ast.Call) -> set[str]:
        """The fields of a class to which a call gives values."""
        members = {
            name: value for one in reversed(self.scope.project.family(cls)) for name, value in one.members.items()
        }
        fields = [name for name, value in members.items() if not is_false(keyword(value, 'init'))]
        if any(isinstance(one, ast.Starred) for one in node.args) or any(one.arg is None for one in node.keywords):
            return set(fields)
        named = {one.arg for one in node.keywords}
        return {*fields[: len(node.args)], *(name for name in fields if name in named or name.lstrip('_') in named)}

    def _fix(self, node: ast.Call, name: str, code: str) -> tuple[Edit, ...]:
        own = self.scope.function.node
        this = self.scope.function.self_name
        is_default = any(one is node for one in ast.walk(own.args))  # made with the class: there is no self yet
        if self.scope.cls is None or this is None or is_default or innermost(node, self.scope.parents) is not own:
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
        if code == 'G008' and may_yield and isinstance(self.scope.parents[node], ast.Expr):
            return (*replaced(node.func, f'yield {this}.sleep'),)
        return ()

    def check_attribute(self, node: ast.Attribute) -> Iterator[Finding]:
        parent = self.scope.parents[node]
        if isinstance(parent, ast.Attribute):
            if self.scope.resolve(dotted(node)) in VALUES:
                yield self.scope.finding(node, 'G004', _TEXTS['G004'].format(name=dotted(node)))
            return
        if isinstance(parent, ast.Call) and parent.func is node:
            return
        name = self.scope.resolve(dotted(node))
        self.followed.property(node, self.scope.by_maker(node) or name)
        self.followed.handed_on(node)
        if name in VALUES:
            yield self.scope.finding(node, 'G004', _TEXTS['G004'].format(name=name))
        elif (
            name is not None
            and code_of(name) in ('G001', 'G003', 'G008')
            and isinstance(parent, (ast.Call, ast.keyword))
        ):
            yield self.scope.finding(node, code_of(name) or '', _TEXTS[code_of(name) or ''].format(name=name))
        elif isinstance(node.ctx, (ast.Store, ast.Del)):
            yield from self.shared.class_assigned(node)
            yield from self.shared.member_set(node)

    def check_name(self, node: ast.Name) -> Iterator[Finding]:
        if isinstance(node.ctx, ast.Load):
            self.followed.handed_on(node)
            name, parent = self.scope.resolve(node.id), self.scope.parents[node]
            if name in VALUES:
                yield self.scope.finding(node, 'G004', _TEXTS['G004'].format(name=name))
            handed = isinstance(parent, (ast.keyword, ast.Call)) and getattr(parent, 'func', None) is not node
            if name in ('id', 'hash') and handed:
                yield self.scope.finding(node, 'G011', _TEXTS['G011'].format(name=node.id))
        yield from self.shared.named(node)

    def check_with(self, node: ast.With) -> Iterator[Finding]:
        """Objects that a module or class keeps, and managers of the project's own classes."""
        for item in node.items:
            expression = item.context_expr
            made = self.scope.by_maker(expression) or self.scope.resolve(dotted(expression))
            if made is None:
                continue
            code = code_of(made.replace('()', '')) if not isinstance(expression, ast.Call) else None
            if code in _TEXTS and made.endswith('()'):
                yield self.scope.finding(expression, code, _TEXTS[code].format(name=made.removesuffix('()')))
            self.followed.managed(node, expression, made)

    def check_for(self, node: ast.For) -> Iterator[Finding]:
        self.followed.iterated(node.iter)
        yield from self.sets.looped(node)

    def check_comprehension(self, node: ast.ListComp | ast.DictComp | ast.GeneratorExp) -> Iterator[Finding]:
        for part in node.generators:
            self.followed.iterated(part.iter)
        yield from self.sets.comprehension(node)

    def check_await(self, node: ast.AST) -> Iterator[Finding]:
        yield self.scope.finding(node, 'G104', 'a workflow yields its tasks; `await` does not work here')

    def check_async(self, node: ast.AsyncFunctionDef) -> Iterator[Finding]:
        yield self.scope.finding(node, 'G104', f'{node.name} is async, and nothing awaits it; write `def` and yield')


def _factory(value: ast.expr | None) -> ast.expr | None:
    """What makes the default of a field: ``field(factory=f)``, ``Factory(f)``, ``field(default=Factory(f))``."""
    if isinstance(value, ast.Call) and last_name(value.func) == 'Factory' and value.args:
        return value.args[0]
    given = next((found for name in FACTORIES if (found := keyword(value, name)) is not None), None)
    default = keyword(value, 'default')
    return _factory(default) if given is None and isinstance(default, ast.Call) else given


def _zone(node: ast.Call) -> str | None:
    """The time zone that a call asks for, unless it is UTC, which ``self.now()`` has."""
    given = [*node.args, *(one.value for one in node.keywords)]
    zone = ast.unparse(given[0]) if given else 'None'
    return None if zone in ('None', 'UTC') or zone.endswith(('timezone.utc', '.UTC')) else zone


def _changes_itself(method: Function) -> bool:
    """Whether a method changes its own object."""
    for node in own_nodes(method.node):
        changed = changed_by(node)
        name = (dotted(changed) or '').partition('.')[0] if changed is not None else ''
        if name and name == method.self_name and method.name not in CONSTRUCTORS:
            return True
    return False


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
    ast.Subscript: lambda look, node: look.shared.subscript(node),
    ast.For: Look.check_for,
    ast.ListComp: Look.check_comprehension,
    ast.DictComp: Look.check_comprehension,
    ast.GeneratorExp: Look.check_comprehension,
    ast.Starred: lambda look, node: look.sets.starred(node),
    ast.Yield: lambda look, node: look.sets.yielded(node),
    ast.With: Look.check_with,
    ast.Assign: lambda look, node: look.sets.assigned(node),
    ast.AsyncFunctionDef: Look.check_async,
    ast.Await: Look.check_await,
    ast.AsyncFor: Look.check_await,
    ast.AsyncWith: Look.check_await,
}
