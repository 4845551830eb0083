"""SWF histories in a peer's own terms: how it writes arguments, and the activity ids by which it finds its tasks."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Callable
from typing import Any

import histories


@functools.lru_cache(maxsize=4)
def events_of(
    shape: str, count: int, identify: Callable[[int], str], encode: Callable[[list[Any]], str] | None = None
) -> list[dict[str, Any]]:
    """A history up to the start of its last decision.

    Args:
        shape: ``sequential`` or ``parallel``.
        count: How many activities.
        identify: Gives the id of the activity of a number from 1.
        encode: Gives the input for a list of arguments; as genflow and flowy write it unless given.
    """
    events = copy.deepcopy(getattr(histories, shape)(count))
    for event in events:
        attributes = next(value for name, value in event.items() if name.endswith('Attributes'))
        if 'input' in attributes:
            arguments, _ = json.loads(attributes['input'])
            attributes['input'] = encode(arguments) if encode else attributes['input']
            if 'activityId' in attributes:
                attributes['activityId'] = identify(*arguments)
    return events[: ends_of(events)[-1]]


def prefix(
    steps: int, number: int, identify: Callable[[int], str], encode: Callable[[list[Any]], str] | None = None
) -> list[dict[str, Any]]:
    """What the decision of a number, from 0, of a sequential run is made from."""
    events = events_of('sequential', steps, identify, encode)
    return events[: ends_of(events)[number]]


def ends_of(events: list[dict[str, Any]]) -> list[int]:
    """How many events there are at the start of each decision."""
    return [place + 1 for place, event in enumerate(events) if event['eventType'] == 'DecisionTaskStarted']
