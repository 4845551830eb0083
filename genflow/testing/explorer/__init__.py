"""Explore the orders in which SWF can tell a workflow what happened, and judge each of them."""

from __future__ import annotations

from genflow.testing.explorer.exploration import explore
from genflow.testing.explorer.failure import ExplorationFailed, Finding, Report

__all__ = ['ExplorationFailed', 'Finding', 'Report', 'explore']
