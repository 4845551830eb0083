"""Durations as users give them: a number of seconds, or a ``timedelta``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

__all__ = ['Duration', 'in_seconds']

Duration = float | timedelta
"""A number of seconds, or a ``timedelta``."""


def in_seconds(value: Any) -> Any:
    """The seconds of a ``timedelta``; anything else as it is, for whoever checks it."""
    return value.total_seconds() if isinstance(value, timedelta) else value
