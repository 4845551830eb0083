"""Explores the orders in which events can reach a workflow, and checks each of them.

The folders are the way of one exploration: what it is given (`inputs`), how a run is played (`playing`), which runs are
the same (`equivalence`), which are played (`searching`), what is wrong with one (`judging`), and what a user gets
(`reporting`). Each imports from those before it alone. ``docs/design/exploration.md`` names the files in order.
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
