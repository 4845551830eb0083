"""Start executions, talk to them, wait for them; answer activities from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.swf.client.handles import Client, Execution

__all__ = ['Client', 'Execution']


def __getattr__(name: str) -> Any:
    """Loads the module behind a public name when the name is asked for."""
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from importlib import import_module

    return getattr(import_module('genflow.swf.client.handles'), name)
