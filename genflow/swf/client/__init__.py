"""Start executions, talk to them, wait for them; answer activities from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.swf.client.handles import Client, Execution

__all__ = ['Client', 'Execution']

_LAZY = dict.fromkeys(__all__, 'genflow.swf.client.handles')
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
