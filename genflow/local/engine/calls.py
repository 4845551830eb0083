"""The operations by their names on the wire, each with the function that carries it out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.local.operations import executions, registry, tasks, visibility
from genflow.local.operations.answers import Answer
from genflow.local.requests.model import operations
from genflow.local.state.state import State

__all__ = ['CALLS', 'OPERATIONS']

CALLS: dict[str, Callable[[State, dict[str, Any], int], Answer]] = {
    **registry.CALLS,
    **executions.CALLS,
    **tasks.CALLS,
    **visibility.CALLS,
}

OPERATIONS = frozenset(operations().values())
