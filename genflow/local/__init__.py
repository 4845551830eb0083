"""A complete Amazon SWF service on SQLite: in process as :class:`LocalSWF`, over HTTP as ``genflow server``.

It is a server: it knows nothing of Python workflows, and serves deciders and workers in any language.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.local.client import LocalSWF
    from genflow.local.clock import Clock, ManualClock, SkippingClock, SystemClock
    from genflow.local.state.limits import Limits

__all__ = ['Clock', 'Limits', 'LocalSWF', 'ManualClock', 'SkippingClock', 'SystemClock']

_LAZY = {
    'Clock': 'genflow.local.clock',
    'Limits': 'genflow.local.state.limits',
    'LocalSWF': 'genflow.local.client',
    'ManualClock': 'genflow.local.clock',
    'SkippingClock': 'genflow.local.clock',
    'SystemClock': 'genflow.local.clock',
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
