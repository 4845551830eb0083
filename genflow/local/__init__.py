"""A complete Amazon SWF service on SQLite: in process as :class:`LocalSWF`, over HTTP as ``genflow server``.

It is a server: it knows nothing of Python workflows, and serves deciders and workers in any language.
"""

from __future__ import annotations

from genflow.local.client import LocalSWF
from genflow.local.clock import Clock, ManualClock, SkippingClock, SystemClock
from genflow.local.state.limits import Limits

__all__ = ['Clock', 'Limits', 'LocalSWF', 'ManualClock', 'SkippingClock', 'SystemClock']
