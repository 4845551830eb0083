"""Reads activity ids: ``7.2`` is the second try of the seventh call, ``7.2;h=10`` has a heartbeat of 10 seconds.

A poll's response has neither the number of the try nor the time-outs, so the decider encodes them in the id. Ids of
other deciders do not have them.
"""

from __future__ import annotations

import re

from attrs import frozen

__all__ = ['ActivityId', 'read_activity_id']

_FORM = re.compile(r'(?P<number>\d+)\.(?P<attempt>\d+)(?:;h=(?P<heartbeat>\d+))?')


@frozen
class ActivityId:
    """An activity id that a genflow decider made.

    Attributes:
        number: Of the call in its execution.
        attempt: 1 for the first try.
        heartbeat: Seconds, where the call overrides the type's heartbeat; 0 means that there is none.
    """

    number: int
    attempt: int
    heartbeat: int | None = None


def read_activity_id(text: str) -> ActivityId | None:
    """The parts of an id, ``None`` if another kind of decider made it."""
    match = _FORM.fullmatch(text)
    if match is None:
        return None
    heartbeat = match['heartbeat']
    return ActivityId(int(match['number']), int(match['attempt']), None if heartbeat is None else int(heartbeat))
