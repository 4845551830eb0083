"""Explore the orders in which SWF can tell a workflow what happened, and judge each of them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.testing.explorer.exploration import explore
    from genflow.testing.explorer.failure import ExplorationFailed, Finding, Report

__all__ = ['ExplorationFailed', 'Finding', 'Report', 'explore']

_LAZY = {
    'ExplorationFailed': 'genflow.testing.explorer.failure',
    'Finding': 'genflow.testing.explorer.failure',
    'Report': 'genflow.testing.explorer.failure',
    'explore': 'genflow.testing.explorer.exploration',
}
"""Where each name is; its module is imported when the name is asked for."""


def __getattr__(name: str) -> Any:
    """Loads a name when it is asked for, once."""
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    found = globals()[name] = getattr(import_module(module), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
