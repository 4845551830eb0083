"""How many tasks somebody who takes several at a time has room for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

__all__ = ['Room']


class Room(NamedTuple):
    """Room for tasks of one list.

    Attributes:
        most: How many tasks at most.
        slots: What a task occupies; ``None`` for no limit. A short activity shares one slot with all other short ones.
        short: The activity types, name and version, whose tasks are short.
    """

    most: int = 0
    slots: int | None = None
    short: Collection[tuple[str, str]] = ()

    def is_short(self, answer: Any) -> bool:
        """Whether the task of a poll's answer is short."""
        kind = answer['activityType']
        return (kind['name'], kind['version']) in self.short
