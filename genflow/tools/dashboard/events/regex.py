"""Searching with somebody else's regular expression, without waiting for it for ever.

Some patterns take longer than the universe lasts, and Python's matcher cannot be interrupted. So it runs in a process
of its own, which is ended when its time is over.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

__all__ = ['PatternError', 'matching']

SECONDS = 3.0
LENGTH = 500

PROGRAM = """
import json, re, sys
pattern, texts = json.load(sys.stdin)
find = re.compile(pattern, re.IGNORECASE).search
json.dump([place for place, text in enumerate(texts) if find(text)], sys.stdout)
"""


class PatternError(ValueError):
    """A pattern cannot be used; the text says why."""


def matching(pattern: str, texts: Sequence[str], seconds: float = SECONDS) -> list[int]:
    """The places of the texts in which a pattern is found, whatever the case of letters.

    Raises:
        PatternError: It is no regular expression, or takes too long.
    """
    if len(pattern) > LENGTH:
        raise PatternError(f'the pattern has {len(pattern)} characters; at most {LENGTH} are possible')
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f'{pattern!r} is not a valid regular expression: {error}') from error
    try:
        done = subprocess.run(  # noqa: S603 - this Python, with a program of our own
            [sys.executable, '-I', '-S', '-c', PROGRAM],
            input=json.dumps([pattern, list(texts)]),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise PatternError(f'{pattern!r} takes too long on these events; simplify it') from None
    except subprocess.CalledProcessError as error:
        raise PatternError(f'{pattern!r} cannot be searched for: {error.stderr.strip()[-200:]}') from error
    found: list[int] = json.loads(done.stdout)
    return found
