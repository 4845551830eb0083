"""A complete Amazon SWF service on SQLite: in process as :class:`LocalSWF`, over HTTP as ``genflow server``.

It is a server without knowledge of Python workflows, for deciders and workers in any language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
