"""The text of a failure: each level on one line, and one traceback, that of the first cause.

The failure of a parent holds that of its child, which holds that of an activity: each recorded the traceback of the one
below it with its own. Printed whole, the reason would stand there once for each level, and the user's own line, where
the exception was raised, somewhere among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from genflow.core.errors import TaskFailed

__all__ = ['failure_text']

SEPARATOR = '\n\nremote traceback:\n'
"""What `TaskFailed` puts between what it says and the traceback from the other side."""

CUT = '…'
"""The last character of a reason that was too long to be recorded whole."""

_TASK = re.compile(r'^genflow\.core\.errors\.(?P<error>\w+): (?P<label>[^:\n]+)(:|$)', re.MULTILINE)

_VERBS = (
    ('TimedOut', 'timed out'),
    ('Timeout', 'timed out'),
    ('Canceled', 'was canceled'),
    ('Terminated', 'was ended'),
)
"""How a task closed, by a part of the name of its exception; ``failed`` where none fits."""


def failure_text(head: str, error: TaskFailed, *, hint: bool = True) -> str:
    """The text to print for a failure.

    Args:
        head: What failed, as far as the caller knows: ``workflow order-7 failed``.
        error: Why.
        hint: Say how to see the tracebacks that are left out.
    """
    if not error.traceback:
        return f'{head}: {error}'
    *outer, innermost = _levels(error.traceback)
    lines = [head, *map(_level, outer)]
    text = ' because\n  '.join(lines) + f':\n\n{innermost.rstrip()}'
    return f'{text}\n\nRun with -v to see {_tracebacks(len(outer))} above it.' if outer and hint else text


def _tracebacks(number: int) -> str:
    return 'the traceback' if number == 1 else f'the {number} tracebacks'


def _levels(traceback: str) -> list[str]:
    """The tracebacks of each level, outermost first; not the beginnings of them that a reason may quote."""
    parts = traceback.split(SEPARATOR)
    return [part for part in parts[:-1] if not part.endswith(CUT)] + parts[-1:]


def _level(traceback: str) -> str:
    """Which task a level is about, and how that ended."""
    found = _last(_TASK.finditer(traceback))
    return traceback.rstrip().splitlines()[-1] if found is None else f'{found["label"]} {_verb(found["error"])}'


def _last(matches: Iterable[re.Match[str]]) -> re.Match[str] | None:
    found = None
    for found in matches:  # noqa: B007 - the last one is wanted
        pass
    return found


def _verb(error: str) -> str:
    return next((verb for part, verb in _VERBS if part in error), 'failed')
