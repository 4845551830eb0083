"""Finds lost calls and results in the methods of a workflow class: the rules ``G1..``."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator

from attrs import define, field

from genflow.tools.lint.findings import Finding
from genflow.tools.lint.fixing import Edit, around, before
from genflow.tools.lint.modules import Class, Function, Module
from genflow.tools.lint.project import Project
from genflow.tools.lint.syntax import dotted, innermost, keyword, own_nodes, yields_in
from genflow.tools.lint.tasks import Calls, number

__all__ = ['Losses', 'declarations']

TASK_MEMBERS = frozenset(
    {
        'cancel',
        'detach',
        'done',
        'exception',
        'number',
        'options',
        'result',
        'signal',
        'timeout',
        'workflow_id',
    }
)
VALUE_FUNCTIONS = frozenset(
    {
        'abs',
        'bool',
        'dict',
        'divmod',
        'enumerate',
        'float',
        'format',
        'int',
        'iter',
        'len',
        'list',
        'max',
        'min',
        'next',
        'print',
        'range',
        'reversed',
        'round',
        'set',
        'sorted',
        'str',
        'sum',
        'tuple',
    }
)
SUMMING = frozenset({'sum', 'min', 'max', 'any', 'all'})
"""What needs the values of an iterable, not only the iterable."""

COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.SetComp)
NO_YIELD = (*COMPREHENSIONS, ast.DictComp, ast.Lambda)
"""Where Python takes no ``yield``."""

LOG_METHODS = frozenset({'debug', 'info', 'warning', 'error', 'exception', 'critical', 'log'})
CANCELLATIONS = frozenset({'Canceled', 'WorkflowCanceled', 'BranchCanceled'})
FAILURES = frozenset({'ActivityFailed', 'ChildFailed', 'LambdaFailed', 'TaskFailed'})
DEFAULT_START_TO_CLOSE = 300.0
"""What the decorator registers unless told otherwise."""


@define(eq=False)
class Losses:
    """One look at one method of a workflow class."""

    project: Project
    function: Function
    cls: Class
    chain: tuple[str, ...] = ()
    _parents: dict[ast.AST, ast.AST] = field(factory=dict)
    _tasks: set[str] = field(factory=set)
    _lists: set[str] = field(factory=set)
    _dicts: set[str] = field(factory=set)
    _bound: dict[str, list[tuple[ast.Name, ast.AST]]] = field(factory=dict)
    _used_names: set[str] = field(factory=set)

    def findings(self) -> Iterator[Finding]:
        """What breaks the rules."""
        for node in (self.function.node, *own_nodes(self.function.node)):
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node
        calls = Calls(self.project, self.function, self.cls)
        self._tasks = self._names_of_tasks(calls)
        self._used_names = set(self._names_used())
        if isinstance(self.function.node, ast.AsyncFunctionDef):
            yield self._finding(self.function.node, 'G104', f'{self.function.qualname} is async; write `def` and yield')
        for node in self._parents:
            yield from self._look(node, calls)

    def _look(self, node: ast.AST, calls: Calls) -> Iterator[Finding]:
        if isinstance(node, ast.Expr):
            yield from self._statement(node, calls)
        elif isinstance(node, ast.Assign):
            yield from self._assigned(node, calls)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield from self._suppressed(node)
        elif isinstance(node, (ast.Yield, ast.YieldFrom)):
            yield from self._yield(node, calls)
        elif isinstance(node, ast.Try):
            yield from self._try(node, calls)
        elif isinstance(node, ast.Call):
            yield from self._signal(node, calls)
        yield from self._used(node, calls)

    def _used(self, node: ast.AST, calls: Calls) -> Iterator[Finding]:
        if self._is_task(node, calls):
            yield from self._value(node, calls)
        elif self._is_list(node) and self._is_summed(node):
            yield self._finding(node, 'G102', 'these are tasks and not their results: yield the list first')

    def _names_of_tasks(self, calls: Calls) -> set[str]:
        """The local names that are tasks and nothing else; those that are lists of tasks are remembered, too."""
        bound = self._bound
        for node in self._parents:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound.setdefault(node.id, []).append((node, self._parents[node]))

        def named(is_one: Callable[[ast.Name, ast.AST], bool]) -> set[str]:
            return {name for name, places in bound.items() if all(is_one(*place) for place in places)}

        self._dicts = named(lambda node, parent: _is_plain(node, parent) and _maps_tasks(parent.value, calls))  # type: ignore[attr-defined]
        self._lists = named(lambda node, parent: _is_plain(node, parent) and _gives_tasks(parent.value, calls))  # type: ignore[attr-defined]
        tasks = named(lambda node, parent: _is_plain(node, parent) and calls.is_task(parent.value))  # type: ignore[attr-defined]
        return tasks | named(lambda node, parent: _is_target(node, parent) and self._is_list(parent.iter))  # type: ignore[attr-defined]

    def _is_list(self, node: ast.AST) -> bool:
        """Whether a name stands for a list of tasks."""
        return isinstance(node, ast.Name) and node.id in self._lists and not self._is_parameter(node)

    def _is_task(self, node: ast.AST, calls: Calls) -> bool:
        if isinstance(node, ast.Name):
            return isinstance(node.ctx, ast.Load) and node.id in self._tasks and not self._is_parameter(node)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            among = self._is_list(node.value) or (node.value.id in self._dicts and not self._is_parameter(node.value))
            return among and isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice)
        return calls.is_task(node)

    def _is_parameter(self, node: ast.Name) -> bool:
        """Whether a name is a parameter of a lambda that it stands in."""
        parent: ast.AST | None = self._parents.get(node)
        while parent is not None:
            if isinstance(parent, ast.Lambda) and any(
                isinstance(one, ast.arg) and one.arg == node.id for one in ast.walk(parent.args)
            ):
                return True
            parent = self._parents.get(parent)
        return False

    def _finding(self, node: ast.AST, code: str, text: str, fix: tuple[Edit, ...] = ()) -> Finding:
        return Finding.at(self.function, node, code, text, self.chain or (self.function.qualname,), fix)

    def _may_yield(self, node: ast.AST) -> bool:
        """Whether a ``yield`` may be put at a node: it would make a generator of a function that is none."""
        inner = innermost(node, self._parents)
        if inner is None or inner is self.function.node:
            return self.function.name == 'run' or yields_in(self.function.node.body)
        return isinstance(inner, ast.FunctionDef) and yields_in(inner.body)

    # statements

    def _statement(self, node: ast.Expr, calls: Calls) -> Iterator[Finding]:
        value = node.value
        if isinstance(value, (ast.ListComp, ast.SetComp)) and calls.is_task(value.elt):
            fix = before(value, 'yield ') if isinstance(value, ast.ListComp) and self._may_yield(value) else ()
            yield self._finding(value, 'G101', 'nothing waits for these calls: yield the list', fix)
        if not isinstance(value, ast.Call):
            return
        if self._is_restart(value, calls):
            yield self._finding(value, 'G107', 'return the value of self.restart(...)', before(value, 'return '))
        elif _is_compensate(value):
            fix = before(value, 'yield from ')
            yield self._finding(value, 'G109', 'nothing is undone without `yield from`', fix)
        elif calls.is_task(value):
            yield from self._dropped(value, calls)
        elif self._is_branch(value, calls):
            fix = before(value, 'yield ') if self._may_yield(value) else ()
            yield self._finding(value, 'G101', 'nothing runs this generator: yield it', fix)

    def _assigned(self, node: ast.Assign, calls: Calls) -> Iterator[Finding]:
        """A name that is bound to a call of the workflow, and never used."""
        name, value = node.targets[0], node.value
        if len(node.targets) > 1 or not isinstance(name, ast.Name) or not isinstance(value, ast.Call):
            return
        if name.id in self._used_names:
            return
        if self._is_restart(value, calls):
            yield self._finding(value, 'G107', 'return the value of self.restart(...)')
        elif _is_compensate(value):
            yield self._finding(value, 'G109', 'nothing is undone without `yield from`', before(value, 'yield from '))
        elif calls.is_task(value):
            yield from self._dropped(value, calls, f'{name.id} is never used, so ')
        elif self._is_branch(value, calls):
            yield self._finding(value, 'G101', f'{name.id} is never used, so nothing runs this generator: yield it')

    def _names_used(self) -> Iterator[str]:
        """The names that are read or deleted, or that belong to more than this function."""
        for node in self._parents:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, (ast.Global, ast.Nonlocal)):
                yield from node.names

    def _is_branch(self, value: ast.Call, calls: Calls) -> bool:
        """Whether it makes a generator of one of the workflow's own methods."""
        name = calls.attribute(value.func)
        method = None if name is None else self.project.method(self.cls, name)
        return method is not None and not method.node.decorator_list and yields_in(method.node.body)

    def _dropped(self, value: ast.Call, calls: Calls, why: str = '') -> Iterator[Finding]:
        proxy = calls.called_proxy(value)
        fix = before(value, 'yield ') if self._may_yield(value) and not self._is_inside(value, NO_YIELD) else ()
        if proxy is None:
            yield self._finding(value, 'G101', f'{why}nothing waits for this: yield it', fix)
            return
        handled = keyword(proxy, 'error_handling') or keyword(_options(value), 'error_handling')
        if (isinstance(handled, ast.Constant) and handled.value) or not _class_yields(self.cls):
            return
        if self._is_handled_around(value):
            return
        text = f'{why}nothing waits for this call: its result is lost, and its failure fails the workflow'
        yield self._finding(value, 'G101', text, fix)

    def _is_handled_around(self, node: ast.AST) -> bool:
        """Whether a ``with self.options(error_handling=True):`` is around a call."""
        while node in self._parents:
            node = self._parents[node]
            for item in node.items if isinstance(node, ast.With) else ():
                call = item.context_expr
                handled = keyword(call, 'error_handling') if isinstance(call, ast.Call) else None
                if isinstance(handled, ast.Constant) and handled.value:
                    return True
        return False

    def _is_restart(self, value: ast.Call, calls: Calls) -> bool:
        target = value.func
        if (
            isinstance(target, ast.Call)
            and isinstance(target.func, ast.Attribute)
            and target.func.attr == 'with_options'
        ):
            target = target.func.value
        name = calls.attribute(target)
        method = None if name is None else self.project.method(self.cls, name)
        return name == 'restart' if method is None else _gives_restart(method)

    def _yield(self, node: ast.Yield | ast.YieldFrom, calls: Calls) -> Iterator[Finding]:
        value = node.value
        expression = self._expression(value)
        if expression is not None and (isinstance(node, ast.Yield) or calls.is_task(expression.elt)):
            start, end = (expression.lineno, expression.col_offset), (expression.end_lineno, expression.end_col_offset)
            fix = [
                Edit(start, (start[0], start[1] + 1), '['),
                Edit((end[0] or 0, (end[1] or 0) - 1), (end[0] or 0, end[1] or 0), ']'),
            ]
            if isinstance(node, ast.YieldFrom):
                fix.insert(0, _keyword_edit(node, 'yield from', 'yield'))
            text = 'nothing iterates this generator expression: yield a list'
            yield self._finding(node, 'G103', text, tuple(fix) if expression is value else ())
        elif isinstance(node, ast.Yield) and any(map(_is_compensate, _together(value))):
            fix = [_keyword_edit(node, 'yield', 'yield from')]
            text = 'write `yield from saga.compensate()`, which is shielded from a cancellation'
            yield self._finding(node, 'G109', text, tuple(fix) if isinstance(value, ast.Call) else ())
        elif isinstance(value, ast.Call) and self._is_restart(value, calls):
            fix = [_keyword_edit(node, 'yield from' if isinstance(node, ast.YieldFrom) else 'yield', 'return')]
            alone = isinstance(self._parents[node], ast.Expr)
            yield self._finding(node, 'G107', 'return the value of self.restart(...)', tuple(fix) if alone else ())

    def _expression(self, value: ast.expr | None) -> ast.GeneratorExp | None:
        """The generator expression that a value is, or that a name stands for which is bound once."""
        if isinstance(value, ast.GeneratorExp):
            return value
        if not isinstance(value, ast.Name):
            return None
        bound = [parent for _, parent in self._bound.get(value.id, ())]
        made = bound[0].value if len(bound) == 1 and isinstance(bound[0], ast.Assign) else None
        return made if isinstance(made, ast.GeneratorExp) else None

    # try

    def _try(self, node: ast.Try, calls: Calls) -> Iterator[Finding]:
        if yields_in(node.body):
            for handler in node.handlers:
                if _catches_all(handler) and not _raises(handler):
                    text = 'this also catches a cancellation, and does not raise it again: catch TaskFailed'
                    yield self._finding(handler, 'G105', text)
                elif _names(handler.type) & CANCELLATIONS and all(map(_does_nothing, handler.body)):
                    text = 'the code goes on as if the cancellation had not come: raise it again, or end the branch'
                    yield self._finding(handler, 'G105', text)
        if yields_in(node.body):
            yield from self._finally(node)
        yield from self._retried(node, calls)

    def _suppressed(self, node: ast.With | ast.AsyncWith) -> Iterator[Finding]:
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or (dotted(call.func) or '').rpartition('.')[2] != 'suppress':
                continue
            caught = {name for one in call.args for name in _names(one)}
            if caught & {'BaseException', *CANCELLATIONS} and yields_in(node.body):
                yield self._finding(call, 'G105', 'this also suppresses a cancellation: suppress TaskFailed')

    def _finally(self, node: ast.Try) -> Iterator[Finding]:
        """What a ``finally`` does that an eviction does as well, or that a cancellation cuts short."""
        for item in node.finalbody:
            if leaves := next(_jumps(item), None):
                text = 'this discards a cancellation or failure that is being raised: write it after the try'
                yield self._finding(leaves, 'G106', text)
            for waits in _unshielded(item):
                text = 'a cancellation that comes meanwhile cuts this short: write `with self.shield():` around it'
                yield self._finding(waits, 'G106', text)
            for inner in ast.walk(item):
                if isinstance(inner, ast.Call) and self._is_output(inner.func):
                    text = 'this also runs when a worker evicts the execution, and again later: use self.logger'
                    yield self._finding(inner, 'G106', text)

    def _is_output(self, func: ast.expr) -> bool:
        """Whether a call prints or logs past ``self.logger``."""
        if isinstance(func, ast.Name):
            return func.id == 'print'
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name) or func.attr not in LOG_METHODS:
            return False
        module = self.function.module
        value = module.values.get(func.value.id)
        made = (dotted(value.func) or '') if isinstance(value, ast.Call) else ''
        return module.imports.get(func.value.id) == 'logging' or made.rpartition('.')[2] == 'getLogger'

    def _retried(self, node: ast.Try, calls: Calls) -> Iterator[Finding]:
        caught = {name for handler in node.handlers for name in _names(handler.type)}
        if not caught & FAILURES or 'TaskTimeout' in caught:
            return
        for item in node.body:
            for inner in ast.walk(item):
                proxy = calls.called_proxy(inner)
                given = None if proxy is None else self._retry_of(inner, proxy)
                retry = number(given, self.project, self.function.module)
                if retry is not None and retry > 0:
                    text = f'retry={retry:.0f} retries time-outs only, and this code catches failures: use Retry(...)'
                    yield self._finding(inner, 'G110', text)

    def _retry_of(self, call: ast.AST, proxy: ast.Call) -> ast.expr | None:
        """What a call of a proxy is retried with: by ``with_options``, by a ``with`` around it, or by the proxy."""
        own = keyword(call.func, 'retry') if isinstance(call, ast.Call) and isinstance(call.func, ast.Call) else None
        node = call
        while own is None and node in self._parents:
            node = self._parents[node]
            calls = [item.context_expr for item in node.items] if isinstance(node, ast.With) else []
            options = [one for one in calls if isinstance(one, ast.Call) and _last_name(one) == 'options']
            own = next((found for one in options if (found := keyword(one, 'retry')) is not None), None)
        return own if own is not None else keyword(proxy, 'retry')

    # expressions

    def _signal(self, node: ast.Call, calls: Calls) -> Iterator[Finding]:
        func = node.func
        if not isinstance(func, ast.Attribute) or func.attr not in ('get', 'drain') or node.args:
            return
        name = calls.attribute(func.value)
        if name is None or not self.project.is_known(self.cls) or name in _attributes(self.project, self.cls):
            return
        yield self._finding(node, 'G108', f'{self.cls.name} declares no signal {name}: write `{name} = Signal()`')

    def _value(self, node: ast.AST, calls: Calls) -> Iterator[Finding]:
        parent = self._parents[node]
        named: ast.AST = node
        if isinstance(parent, ast.NamedExpr):
            named, parent = parent, self._parents[parent]
        if isinstance(parent, ast.Compare):
            used = self._is_compared(named, parent, calls)
        else:
            used = _uses_value(named, parent)
        if used:
            may_yield = isinstance(node, ast.Call) and self._may_yield(node) and not self._is_inside(node, NO_YIELD)
            fix = around(node, '(yield ', ')') if may_yield else ()
            yield self._finding(node, 'G102', 'this is a task and not its result: yield it first', fix)
        elif isinstance(parent, COMPREHENSIONS) and parent.elt is node and self._is_summed(parent):
            yield self._finding(node, 'G102', 'these are tasks and not their results: yield a list of them first')

    def _is_compared(self, node: ast.AST, parent: ast.Compare, calls: Calls) -> bool:
        """Whether it is compared with anything but a task, or looked into."""
        sides = [parent.left, *parent.comparators]
        for left, op, right in zip(sides, parent.ops, sides[1:], strict=False):
            if isinstance(op, (ast.In, ast.NotIn)):
                if right is node:
                    return True
            elif node in (left, right) and not isinstance(op, (ast.Is, ast.IsNot)):
                other = right if left is node else left
                if not isinstance(op, (ast.Eq, ast.NotEq)) or not (self._is_task(other, calls) or _may_be_task(other)):
                    return True
        return False

    def _is_summed(self, comprehension: ast.AST) -> bool:
        call = self._parents.get(comprehension)
        is_argument = isinstance(call, ast.Call) and comprehension in call.args
        return is_argument and isinstance(call.func, ast.Name) and call.func.id in SUMMING  # type: ignore[union-attr]

    def _is_inside(self, node: ast.AST, kinds: tuple[type, ...]) -> bool:
        parent: ast.AST | None = self._parents.get(node)
        while parent is not None and not isinstance(parent, kinds):
            parent = self._parents.get(parent)
        return parent is not None


def _gives_restart(method: Function) -> bool:
    """Whether a method returns nothing but what ``self.restart`` gives."""
    returned = [node.value for node in own_nodes(method.node) if isinstance(node, ast.Return)]
    names = [(dotted(value.func) or '') if isinstance(value, ast.Call) else '' for value in returned]
    return bool(names) and all(name.replace('.with_options()', '') == f'{method.self_name}.restart' for name in names)


def _needs_values(func: ast.expr) -> bool:
    """Whether a function needs results: ``len``, ``json.dumps``, ``'{}'.format``."""
    if isinstance(func, ast.Attribute):
        of_text = isinstance(func.value, ast.Constant) and func.attr in ('format', 'join')
        return of_text or dotted(func) == 'json.dumps'
    return isinstance(func, ast.Name) and func.id in VALUE_FUNCTIONS


def _may_be_task(node: ast.expr) -> bool:
    """Whether an expression may give a task, as far as that cannot be known: ``winner``, ``self.first``."""
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Yield, ast.YieldFrom))


def _is_plain(node: ast.Name, parent: ast.AST) -> bool:
    return isinstance(parent, ast.Assign) and parent.targets == [node]


def _is_target(node: ast.Name, parent: ast.AST) -> bool:
    return isinstance(parent, (ast.For, ast.comprehension)) and parent.target is node


def _maps_tasks(value: ast.expr, calls: Calls) -> bool:
    """Whether an expression makes a dict whose values are tasks."""
    if isinstance(value, ast.DictComp):
        return calls.is_task(value.value)
    return isinstance(value, ast.Dict) and bool(value.values) and all(map(calls.is_task, value.values))


def _gives_tasks(value: ast.expr, calls: Calls) -> bool:
    """Whether an expression makes a list of tasks."""
    if isinstance(value, ast.ListComp):
        return calls.is_task(value.elt)
    return isinstance(value, ast.List) and bool(value.elts) and all(map(calls.is_task, value.elts))


def _keyword_edit(node: ast.Yield | ast.YieldFrom, old: str, new: str) -> Edit:
    start = (node.lineno, node.col_offset)
    return Edit(start, (start[0], start[1] + len(old)), new)


def _uses_value(node: ast.AST, parent: ast.AST) -> bool:
    """Whether an expression is used as a result is used."""
    if isinstance(parent, ast.Attribute):
        return parent.attr not in TASK_MEMBERS
    if isinstance(parent, ast.Call):
        is_argument = node in parent.args
        return is_argument and _needs_values(parent.func)
    if isinstance(parent, ast.Assign):
        return parent.value is node and isinstance(parent.targets[0], (ast.Tuple, ast.List))
    return any(getattr(parent, member, None) is node for member in _MEMBERS.get(type(parent), ())) or isinstance(
        parent, (ast.BoolOp, ast.BinOp, ast.UnaryOp)
    )


_MEMBERS: dict[type, tuple[str, ...]] = {
    ast.If: ('test',),
    ast.While: ('test',),
    ast.IfExp: ('test',),
    ast.Assert: ('test',),
    ast.Subscript: ('value',),
    ast.FormattedValue: ('value',),
    ast.AugAssign: ('value',),
    ast.For: ('iter',),
    ast.Match: ('subject',),
    ast.comprehension: ('iter',),
}
"""Where a value is needed: by parent, its members."""


def _options(value: ast.Call) -> ast.Call:
    return value.func if isinstance(value.func, ast.Call) else value


def _class_yields(cls: Class) -> bool:
    return any(yields_in(method.node.body) for method in cls.methods.values())


def _jumps(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements that leave a ``finally`` block before its end, by other ways than an exception."""
    inner_loops = isinstance(statement, (ast.For, ast.While))
    if isinstance(statement, (ast.Return, ast.Break, ast.Continue)):
        yield statement
    elif not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.stmt):
                yield from (one for one in _jumps(child) if not inner_loops or isinstance(one, ast.Return))


def _unshielded(node: ast.AST) -> Iterator[ast.AST]:
    """The yields of a ``finally`` block that no ``with self.shield():`` is around; ``compensate`` has its own."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
        return
    if isinstance(node, ast.With) and any(_is_shield(item.context_expr) for item in node.items):
        return
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        if node.value is None or not _is_compensate(node.value):
            yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _unshielded(child)


def _is_shield(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == 'shield'


def _is_compensate(value: ast.expr) -> bool:
    named = value.func if isinstance(value, ast.Call) and not value.args else None
    return isinstance(named, ast.Attribute) and named.attr == 'compensate'


def _together(value: ast.expr | None) -> list[ast.expr]:
    """What is yielded: the items of a list or tuple, else the value itself."""
    return value.elts if isinstance(value, (ast.List, ast.Tuple)) else [] if value is None else [value]


def _names(node: ast.expr | None) -> set[str]:
    parts = node.elts if isinstance(node, ast.Tuple) else [] if node is None else [node]
    return {(dotted(part) or '').rpartition('.')[2] for part in parts}


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or 'BaseException' in _names(handler.type)


def _does_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Pass, ast.Continue)) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for item in handler.body for node in ast.walk(item))


def _attributes(project: Project, cls: Class) -> set[str]:
    """Every attribute that a class and its bases declare or set."""
    found: set[str] = set(dir(dict)) - {'get'}
    for member in project.family(cls):
        found |= set(member.members) | set(member.methods)
        for node in ast.walk(member.node):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
    return found


# declarations


def declarations(project: Project, module: Module) -> Iterator[Finding]:
    """What decorators and proxies of a module say of activities: the rules on time-outs."""
    for node in ast.walk(module.tree):
        for decorator in getattr(node, 'decorator_list', ()):
            if isinstance(decorator, ast.Call) and _last_name(decorator) == 'activity':
                yield from _limits(project, module, decorator, DEFAULT_START_TO_CLOSE)
        if isinstance(node, ast.Call) and _last_name(node) in SETTINGS:
            yield from _limits(project, module, node, _registered(project, module, node))


SETTINGS = frozenset({'ActivityProxy', 'proxy', 'with_options', 'options'})
"""What changes the time-outs of a type."""


def _registered(project: Project, module: Module, node: ast.Call) -> float | None:
    """The start-to-close with which the activity of ``activity.proxy(...)`` is registered, where that is known."""
    name = dotted(node.func) or ''
    owner, _, last = name.rpartition('.')
    if last != 'proxy' or keyword(node, 'start_to_close') is not None:
        return None
    root, dot, rest = owner.partition('.')
    full = module.imports.get(root, f'{module.name}.{root}') + dot + rest
    made = project.function_named(full) or project.class_named(full)
    for decorator in () if made is None else made.node.decorator_list:
        if made is not None and isinstance(decorator, ast.Call) and _last_name(decorator) == 'activity':
            given = keyword(decorator, 'start_to_close')
            return DEFAULT_START_TO_CLOSE if given is None else number(given, project, made.module)
    return None


def _last_name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else (dotted(node.func) or '').rpartition('.')[2]


def _limits(project: Project, module: Module, node: ast.Call, default: float | None) -> Iterator[Finding]:
    given = keyword(node, 'start_to_close')
    endless = given is not None and number(given, project, module) == math.inf
    if endless or (default is not None and isinstance(given, ast.Constant) and given.value is None):
        yield Finding.in_module(
            module, node, 'G111', 'if its worker dies, no time-out ends this activity: give start_to_close'
        )
        return
    limit = default if given is None else number(given, project, module)
    heartbeat = number(keyword(node, 'heartbeat'), project, module)
    if limit is not None and heartbeat is not None and heartbeat >= limit:
        text = f'a heartbeat of {heartbeat:.0f} s never times out before start_to_close, {limit:.0f} s'
        yield Finding.in_module(module, node, 'G112', text)
