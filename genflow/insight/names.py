"""What the names that genflow writes into histories mean: activity ids, timer ids, controls and markers."""

from __future__ import annotations

import re

from genflow.core.calls.retryable import PAUSE
from genflow.core.engine.markers import PATCH, SEED, SIDE_EFFECT
from genflow.core.engine.replay import BACKOFF
from genflow.core.engine.retries import ATTEMPTS, BACKLOG_MARKER, LATER, WAKE_TIMER_PREFIX
from genflow.core.engine.suggested_restart import SUGGESTED_RESTART_MARKER

__all__ = ['MARKERS', 'attempt_of', 'timer_of']

_ATTEMPT = re.compile(r'(\d+)\.(\d+)(?:;h=\d+)?')
_NUMBER = re.compile(r'\d+')

MARKERS = {
    SIDE_EFFECT: 'side effect',
    PATCH: 'patch',
    SEED: 'random seed',
    ATTEMPTS: 'retry log',
    BACKLOG_MARKER: 'backlog',
    LATER: 'carry-over',
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
    if timer_id.endswith(PAUSE):
        return attempt_of(timer_id[: -len(PAUSE)])[0], 'retry'
    if timer_id.startswith(WAKE_TIMER_PREFIX):
        return None, 'wake'
    if timer_id.startswith(BACKOFF):
        return None, 'back-off'
    return attempt_of(timer_id)[0], 'sleep'
