"""Explores the orders in which events can reach a workflow, and checks each of them.

The folders follow the way of one exploration: its arguments (`inputs`), one run (`playing`), runs that are the same
(`equivalence`), the choice of runs (`searching`), the checks of a run (`judging`), and the results (`reporting`). Each
imports only from those before it. ``docs/design/exploration.md`` names the files in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genflow.lazy_names import lazy_names

if TYPE_CHECKING:
    from genflow.testing.explorer.exploration import explore
    from genflow.testing.explorer.reporting.report import ExplorationFailed, Finding, Report

__all__ = ['ExplorationFailed', 'Finding', 'Report', 'explore']

_LAZY = {
    'ExplorationFailed': 'genflow.testing.explorer.reporting.report',
    'Finding': 'genflow.testing.explorer.reporting.report',
    'Report': 'genflow.testing.explorer.reporting.report',
    'explore': 'genflow.testing.explorer.exploration',
}
"""Where each name is; its module is imported when the name is asked for."""

__getattr__, __dir__ = lazy_names(__name__, _LAZY)
