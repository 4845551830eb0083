"""Searching with somebody else's regular expression, without waiting for it for ever.

Some patterns take longer than the universe lasts, and Python's matcher cannot be interrupted. So patterns are compiled
and searched for in a process of its own, which is ended when its time is over: the processor's, so that a busy machine
ends no honest search, and at the latest some multiple of it by the clock.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence

__all__ = ['PatternError', 'matching']

SECONDS = 2
"""Of the processor, for one search."""

TIMEOUT_FACTOR = 10
"""Seconds by the clock for each second of the processor, at the most."""

LENGTH = 500

ENDED = frozenset(-number for name in ('SIGXCPU', 'SIGKILL') if (number := getattr(signal, name, 0)))
"""How a process ends whose time of the processor is over."""

PROGRAM = """
import json, re, sys
pattern, texts, seconds = json.load(sys.stdin)
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
except ImportError:
    pass
try:
    find = re.compile(pattern, re.IGNORECASE).search
except (re.error, RecursionError, OverflowError) as error:
    json.dump(str(error) or type(error).__name__, sys.stdout)
else:
    json.dump([place for place, text in enumerate(texts) if find(text)], sys.stdout)
"""


class PatternError(ValueError):
    """A pattern cannot be used; the text says why."""


def matching(pattern: str, texts: Sequence[str], seconds: int = SECONDS) -> list[int]:
    """The places of the texts in which a pattern is found, whatever the case of letters.

    Raises:
        PatternError: It is no regular expression, or takes too long.
    """
    if len(pattern) > LENGTH:
        raise PatternError(f'the pattern has {len(pattern)} characters; at most {LENGTH} are possible')
    try:
        done = subprocess.run(  # noqa: S603 - this Python, with a program of our own
            [sys.executable, '-I', '-S', '-W', 'ignore', '-c', PROGRAM],
            input=json.dumps([pattern, list(texts), seconds]),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_FACTOR * seconds,
            check=False,
        )
        is_over = done.returncode in ENDED
    except subprocess.TimeoutExpired:
        is_over = True
    if is_over:
        raise PatternError(f'{pattern!r} takes too long on these events; simplify it')
    if done.returncode:
        raise PatternError(f'{pattern!r} cannot be searched for: {done.stderr.strip()[-200:]}')
    found: list[int] | str = json.loads(done.stdout)
    if isinstance(found, str):
        raise PatternError(f'{pattern!r} is not a valid regular expression: {found}')
    return found
