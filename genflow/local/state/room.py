"""How many tasks somebody who takes several at a time has room for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import attrs


@attrs.frozen(slots=True)
class Room:
    """Room for tasks of one list.

    Attributes:
        most: how many tasks at most.
        slots: what a task occupies; ``None`` for no limit. A short activity shares one slot with all other short ones.
        short: the activity types, name and version, whose tasks are short.
    """

    most: int = 0
    slots: int | None = None
    short: Collection[tuple[str, str]] = ()

    def is_short(self, answer: Any) -> bool:
        """Whether the task of a poll's answer is short."""
        kind = answer['activityType']
        return (kind['name'], kind['version']) in self.short
