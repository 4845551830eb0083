"""Checks ``try``, ``finally`` and ``suppress`` for lost cancellations (``G105``, ``G106``) and retries (``G110``)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from attrs import define

from genflow.tools.lint.checks.method import Method, number
from genflow.tools.lint.code.syntax import called_last, dotted, is_compensate, keyword, yields_in
from genflow.tools.lint.findings import Finding

__all__ = ['Handlers']

LOG_METHODS = frozenset({'debug', 'info', 'warning', 'error', 'exception', 'critical', 'log'})
CANCELLATIONS = frozenset({'Canceled', 'WorkflowCanceled', 'BranchCanceled'})
FAILURES = frozenset({'ActivityFailed', 'ChildFailed', 'LambdaFailed', 'TaskFailed'})


@define(eq=False)
class Handlers:
    """The exception handlers of one method."""

    method: Method

    def check_try(self, node: ast.Try) -> Iterator[Finding]:
        if yields_in(node.body):
            for handler in node.handlers:
                if _catches_all(handler) and not _raises(handler):
                    text = 'this also catches a cancellation, and does not raise it again: catch TaskFailed'
                    yield self.method.finding(handler, 'G105', text)
                elif _names(handler.type) & CANCELLATIONS and all(map(_does_nothing, handler.body)):
                    text = 'the code goes on as if the cancellation had not come: raise it again, or end the branch'
                    yield self.method.finding(handler, 'G105', text)
        if yields_in(node.body):
            yield from self._finally(node)
        yield from self._retried(node)

    def check_with(self, node: ast.With | ast.AsyncWith) -> Iterator[Finding]:
        for item in node.items:
            call = item.context_expr
            if not isinstance(call, ast.Call) or (dotted(call.func) or '').rpartition('.')[2] != 'suppress':
                continue
            caught = {name for one in call.args for name in _names(one)}
            if caught & {'BaseException', *CANCELLATIONS} and yields_in(node.body):
                yield self.method.finding(call, 'G105', 'this also suppresses a cancellation: suppress TaskFailed')

    def _finally(self, node: ast.Try) -> Iterator[Finding]:
        """What a ``finally`` does that an eviction does as well, or that a cancellation cuts short."""
        for item in node.finalbody:
            if leaves := next(_jumps(item), None):
                text = 'this discards a cancellation or failure that is being raised: write it after the try'
                yield self.method.finding(leaves, 'G106', text)
            for waits in _unshielded(item):
                text = 'a cancellation that comes meanwhile cuts this short: write `with self.shield():` around it'
                yield self.method.finding(waits, 'G106', text)
            for inner in ast.walk(item):
                if isinstance(inner, ast.Call) and self._is_output(inner.func):
                    text = 'this also runs when a worker evicts the execution, and again later: use self.logger'
                    yield self.method.finding(inner, 'G106', text)

    def _is_output(self, func: ast.expr) -> bool:
        """Whether a call prints or logs past ``self.logger``."""
        if isinstance(func, ast.Name):
            return func.id == 'print'
        if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name) or func.attr not in LOG_METHODS:
            return False
        module = self.method.function.module
        value = module.values.get(func.value.id)
        made = (dotted(value.func) or '') if isinstance(value, ast.Call) else ''
        return module.imports.get(func.value.id) == 'logging' or made.rpartition('.')[2] == 'getLogger'

    def _retried(self, node: ast.Try) -> Iterator[Finding]:
        caught = {name for handler in node.handlers for name in _names(handler.type)}
        if not caught & FAILURES or 'TaskTimeout' in caught:
            return
        for item in node.body:
            for inner in ast.walk(item):
                proxy = self.method.called_proxy(inner)
                given = None if proxy is None else self._retry_of(inner, proxy)
                retry = number(given, self.method.project, self.method.function.module)
                if retry is not None and retry > 0:
                    text = f'retry={retry:.0f} retries time-outs only, and this code catches failures: use Retry(...)'
                    yield self.method.finding(inner, 'G110', text)

    def _retry_of(self, call: ast.AST, proxy: ast.Call) -> ast.expr | None:
        """What a call of a proxy is retried with: by ``with_options``, by a ``with`` around it, or by the proxy."""
        own = keyword(call.func, 'retry') if isinstance(call, ast.Call) and isinstance(call.func, ast.Call) else None
        node = call
        while own is None and node in self.method.parents:
            node = self.method.parents[node]
            calls = [item.context_expr for item in node.items] if isinstance(node, ast.With) else []
            options = [one for one in calls if isinstance(one, ast.Call) and called_last(one) == 'options']
            own = next((found for one in options if (found := keyword(one, 'retry')) is not None), None)
        return own if own is not None else keyword(proxy, 'retry')


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
        if node.value is None or not is_compensate(node.value):
            yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _unshielded(child)


def _is_shield(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == 'shield'


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
