"""How much of a decision fits into one response: at most 100 decisions and 1 MB, measured as botocore writes it.

The engine hands over everything that it decided and the zero-second timer that brings the next decision task; what is
sent is the longest beginning that fits, with that timer behind it and the markers that name what is left over. A close
comes last, so it leaves with the last portion only. What was left over is not told back: the engine reads from the next
history how far the response went.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from itertools import accumulate
from typing import Any

from genflow.core.errors import GenflowError
from genflow.core.model.decisions import Decisions
from genflow.swf.wire.decisions import encode

__all__ = ['MAX_BYTES', 'MAX_DECISIONS', 'DecisionsTooLarge', 'plan']

MAX_DECISIONS = 100
"""Decisions in one response. SWF documents the size of the request only; clients of its early years stop at 100."""

MAX_BYTES = 1_000_000 - 16_000
"""Bytes that the decisions and the execution context may take: SWF refuses requests over 1 MB, headers included. What
is kept back is for the headers with a session token and for the task token."""


FEW = 20
"""Decisions up to which it is worth a look whether they are small enough to need no measuring."""

ESCAPED = 12
"""Bytes of a character of the body at most: two escaped surrogates."""

STRUCTURE = 32_000
"""More bytes than a decision has besides its texts: names of members, and type, task list and five tags of up to 256
characters."""


class DecisionsTooLarge(GenflowError):
    """Decisions that must be sent together do not fit into one response."""


def plan(decisions: Decisions) -> list[dict[str, Any]]:
    """The decisions to send now, as SWF's dicts.

    Raises:
        DecisionsTooLarge: Even the smallest portion is more than SWF takes.
    """
    written = [encode(decision) for decision in decisions.all]
    if len(written) <= FEW and _at_most(written, decisions.context) <= MAX_BYTES:
        return written
    room = MAX_BYTES - len(json.dumps(decisions.context))
    if len(written) <= MAX_DECISIONS and _size(written) <= room:
        return written
    if decisions.wake is None:
        raise DecisionsTooLarge(f'{len(written)} decisions of {_size(written):,} bytes cannot be sent in portions')
    added = [*map(encode, decisions.later), encode(decisions.wake)]
    count = _count(written, MAX_DECISIONS - len(added), room - _size(added))
    if count < max(decisions.markers, 1):
        raise DecisionsTooLarge(
            f'{decisions.markers} markers take {_size(written[: decisions.markers]):,} bytes and must be recorded '
            f'in one response, which holds {MAX_DECISIONS} decisions and {room:,} bytes'
        )
    return [encode(decision) for decision in decisions.first_chunk(count)]


def _at_most(written: list[dict[str, Any]], context: str | None) -> int:
    """A size in bytes that is never exceeded, without writing anything down."""
    characters = len(context or '')
    for decision in written:
        for member in decision.values():
            if isinstance(member, dict):
                characters += sum(len(text) for text in member.values() if isinstance(text, str))
    return characters * ESCAPED + len(written) * STRUCTURE


def _count(written: list[dict[str, Any]], most: int, room: int) -> int:
    """How many of the decisions, ``most`` at most, fit into so many bytes."""
    ends = list(accumulate(_size([decision]) for decision in written))
    return min(most, bisect_right(ends, room))


def _size(written: list[dict[str, Any]]) -> int:
    """Bytes of a list of decisions in the body; botocore writes it with ``json.dumps``, which escapes to ASCII."""
    return len(json.dumps(written))
