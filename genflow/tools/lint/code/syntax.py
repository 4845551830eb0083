"""Questions about nodes of a syntax tree that their shape alone answers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

__all__ = [
    'MUTATING',
    'TRIES',
    'FunctionNode',
    'alternatives',
    'annotated',
    'bindings',
    'called_last',
    'called_name',
    'changed_by',
    'default_of',
    'dotted',
    'function_of',
    'innermost',
    'is_compensate',
    'is_false',
    'is_none',
    'is_side_effect',
    'is_view',
    'keyword',
    'last_name',
    'own_nodes',
    'unwrapped',
    'yields_in',
]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

TRIES: tuple[type[ast.Try], ...] = (ast.Try, getattr(ast, 'TryStar', ast.Try))
"""``try``, also with ``except*``, which came with Python 3.11."""

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


def last_name(node: ast.AST) -> str:
    """The last part of a dotted name; empty for any other expression."""
    return (dotted(node) or '').rpartition('.')[2]


def changed_by(node: ast.AST) -> ast.expr | None:
    """The expression whose object a node changes, by a method, an item, an attribute or ``next``; ``None`` if none."""
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


def is_view(node: ast.expr) -> bool:
    """Whether it is the keys or items of a dict, which become a set in ``&``, ``-``, ``|`` and ``^``."""
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args
    return is_call and node.func.attr in ('keys', 'items')  # type: ignore[attr-defined]


def keyword(call: ast.AST | None, name: str) -> ast.expr | None:
    """The value of a keyword argument; ``None`` if it is not given, or this is no call."""
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return next((one.value for one in keywords if one.arg == name), None)


def is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def default_of(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
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


def called_name(decorator: ast.expr) -> ast.expr:
    """The expression of a decorator without the arguments that it is called with."""
    return decorator.func if isinstance(decorator, ast.Call) else decorator


def annotated(annotation: ast.expr | None) -> ast.expr | None:
    """The class that an annotation names: also of ``X | None``, ``Optional[X]`` and ``'X'``."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode='eval').body
        except SyntaxError:
            return None
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if not isinstance(side, ast.Constant)]
        annotation = sides[0] if len(sides) == 1 else None
    if isinstance(annotation, ast.Subscript) and last_name(annotation.value) == 'Optional':
        annotation = annotation.slice
    return annotation if isinstance(annotation, (ast.Name, ast.Attribute)) else None


def alternatives(node: ast.IfExp | ast.BoolOp | ast.NamedExpr) -> list[ast.expr]:
    """What an expression may give."""
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    return node.values if isinstance(node, ast.BoolOp) else [node.value]


def called_last(node: ast.Call) -> str:
    """The last part of what a call calls, also of a method of any expression."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else (dotted(node.func) or '').rpartition('.')[2]


def is_compensate(value: ast.expr) -> bool:
    """Whether it is ``saga.compensate()``."""
    named = value.func if isinstance(value, ast.Call) and not value.args else None
    return isinstance(named, ast.Attribute) and named.attr == 'compensate'
