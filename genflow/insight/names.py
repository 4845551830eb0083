"""The meaning of the names that genflow writes into histories: activity ids, timer ids, controls and markers."""

from __future__ import annotations

import re

from genflow.core.model.wire_names import (
    ATTEMPTS_MARKER,
    BACKLOG_MARKER,
    BACKOFF_TIMER_PREFIX,
    CARRYOVER_MARKER,
    ORIGIN_MARKER,
    PATCH_MARKER,
    RETRY_TIMER_SUFFIX,
    SEED_MARKER,
    SIDE_EFFECT_MARKER,
    SUGGESTED_RESTART_MARKER,
    WAKE_TIMER_PREFIX,
)

__all__ = ['MARKERS', 'attempt_of', 'timer_of']

_ATTEMPT = re.compile(r'(\d+)\.(\d+)(?:;h=\d+)?')
_NUMBER = re.compile(r'\d+')

MARKERS = {
    SIDE_EFFECT_MARKER: 'side effect',
    PATCH_MARKER: 'patch',
    SEED_MARKER: 'random seed',
    ORIGIN_MARKER: 'origin',
    ATTEMPTS_MARKER: 'retry log',
    BACKLOG_MARKER: 'backlog',
    CARRYOVER_MARKER: 'carry-over',
    SUGGESTED_RESTART_MARKER: 'restart',
}
"""The meaning of each marker that genflow records."""


def attempt_of(text: str | None) -> tuple[int | None, int]:
    """Number of the call and of the attempt: ``'7.2;h=10'`` gives ``(7, 2)``; another decider's id ``(None, 1)``."""
    match = _ATTEMPT.fullmatch(text) if text else None
    if match is not None:
        return int(match[1]), int(match[2])
    return (int(text), 1) if text and _NUMBER.fullmatch(text) else (None, 1)


def timer_of(timer_id: str) -> tuple[int | None, str]:
    """Number of the call and purpose of a timer."""
    if timer_id.endswith(RETRY_TIMER_SUFFIX):
        return attempt_of(timer_id[: -len(RETRY_TIMER_SUFFIX)])[0], 'retry'
    if timer_id.startswith(WAKE_TIMER_PREFIX):
        return None, 'wake'
    if timer_id.startswith(BACKOFF_TIMER_PREFIX):
        return None, 'back-off'
    return attempt_of(timer_id)[0], 'sleep'
