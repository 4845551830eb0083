"""The worker: poll, decide or run, respond, and what keeps it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.swf.worker.worker import Worker

__all__ = ['Worker']


def __getattr__(name: str) -> Any:
    """Loads the module behind a public name when the name is asked for."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module('genflow.swf.worker.worker'), name)
