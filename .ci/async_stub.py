"""Writes what type checkers see of the client for asyncio, from the one for threads.

``python .ci/async_stub.py`` writes ``genflow/swf/client/async_client.pyi`` from ``handles.py`` and ``execution.py``; a
test compares the file with it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent / 'genflow' / 'swf' / 'client'
STUB = CLIENT / 'async_client.pyi'

HEAD = '''"""What type checkers see of the client for asyncio; written by .ci/async_stub.py."""

from collections.abc import AsyncIterator, Generator, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, ParamSpec, overload

from typing_extensions import Self, TypeVar, Unpack

from genflow.core.authoring.middleware import Middlewares
from genflow.core.authoring.option_types import StartOptions
from genflow.core.authoring.typed_proxies import Runs
from genflow.core.authoring.updates import UpdateMethod
from genflow.core.durations import Duration
from genflow.core.tasks.signals import Signal
from genflow.swf.aws.client import RetryingClient
from genflow.swf.client.handles import IfOpen

__all__ = ['AsyncClient', 'AsyncExecution', 'AsyncStart']

P = ParamSpec('P')
R = TypeVar('R', default=Any)
U = TypeVar('U')
V = TypeVar('V')

'''

AWAITED: dict[str, tuple[str, ...]] = {
    'Client': ('close', 'register'),
    'Start': ('__call__', 'signal_with_start'),
    'Execution': (
        'result',
        'wait',
        'query',
        'update',
        'context',
        'signal',
        'cancel',
        'terminate',
        'status',
        'history',
    ),
}
"""The methods that are awaited."""

CALLED: dict[str, tuple[str, ...]] = {'Client': ('__init__', 'starter', 'execution', 'executions')}
"""Those that are not."""

ATTRIBUTES = {
    'Client': ('domain: str',),
    'Start': (),
    'Execution': ('workflow_id: str', 'run_id: str | None'),
}

CONTEXT = ('async def __aenter__(self) -> Self: ...', 'async def __aexit__(self, *exception: object) -> None: ...')


class Renamed(ast.NodeTransformer):
    """Names the classes of asyncio instead of those of threads."""

    def visit_Name(self, node: ast.Name) -> ast.Name:
        is_ours = node.id in (*AWAITED, 'Iterator')
        return ast.Name(f'Async{node.id}', node.ctx) if is_ours else node


def members(tree: ast.ClassDef) -> Iterator[str]:
    """The stub's members for those of a class; of a method with overloads, the overloads."""
    awaited, called = AWAITED[tree.name], CALLED.get(tree.name, ())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in (*awaited, *called)]
    overloaded = {node.name for node in functions if is_overload(node)}
    for node in functions:
        if node.name not in overloaded or is_overload(node):
            yield stub_of(node, is_awaited=node.name in awaited)


def is_overload(node: ast.FunctionDef) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == 'overload' for decorator in node.decorator_list)


def stub_of(node: ast.FunctionDef, *, is_awaited: bool) -> str:
    kind = ast.AsyncFunctionDef if is_awaited else ast.FunctionDef
    arguments = Renamed().visit(node.args)
    returns = None if node.returns is None else Renamed().visit(node.returns)
    body: list[ast.stmt] = [ast.Expr(ast.Constant(...))]
    made = kind(node.name, arguments, body, node.decorator_list, returns, lineno=0, col_offset=0)
    return ast.unparse(ast.fix_missing_locations(made)).replace(':\n    ...', ': ...')


def text() -> str:
    trees = [ast.parse((CLIENT / name).read_text(encoding='utf-8')) for name in ('handles.py', 'execution.py')]
    parts = [HEAD]
    for node in [node for tree in trees for node in tree.body]:
        if isinstance(node, ast.ClassDef) and node.name in AWAITED:
            bases = f'({", ".join(map(ast.unparse, node.bases))})' if node.bases else ''
            lines = [*ATTRIBUTES[node.name], *members(node), *(CONTEXT if node.name == 'Client' else ())]
            indented = '\n'.join(lines).replace('\n', '\n    ')
            parts.append(f'class Async{node.name}{bases}:\n    {indented}\n\n')
    return ''.join(parts).rstrip() + '\n'


def main() -> None:
    STUB.write_text(text(), encoding='utf-8')
    sys.stdout.write(f'{STUB}\n')


if __name__ == '__main__':
    main()
