"""The worker: poll, decide or run, respond; with heartbeats, caching and draining."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.swf.worker.worker import Worker

__all__ = ['Worker']

_LAZY = dict.fromkeys(__all__, 'genflow.swf.worker.worker')
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
