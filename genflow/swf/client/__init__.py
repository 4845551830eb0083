"""Starts executions, signals and queries them, waits for them; answers activities by token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.swf.client.execution import Execution
    from genflow.swf.client.handles import Client

__all__ = ['Client', 'Execution']

_LAZY = {'Client': 'genflow.swf.client.handles', 'Execution': 'genflow.swf.client.execution'}
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
