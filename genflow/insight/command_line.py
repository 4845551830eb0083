"""Command lines: for people to copy, quoted so that a shell reads them correctly; and the values that people type."""

from __future__ import annotations

import json
import shlex
import unicodedata
from collections.abc import Iterable
from typing import Any

__all__ = ['PROGRAM', 'command_line', 'quoted', 'value_of']

PROGRAM = 'genflow '
"""The first word of each command line."""

_UNSEEN = frozenset({'Cc', 'Cf', 'Cs', 'Zl', 'Zp'})
"""Unicode categories that a page or a terminal does not show as they are: controls, formats, separators of lines."""


def command_line(verb: str, arguments: Iterable[str] = (), options: Iterable[str] = (), service: str = '') -> str:
    """A genflow command as it is typed.

    Args:
        verb: The command.
        arguments: Its arguments; they may begin with a dash.
        options: Its own options, a word each.
        service: The options with which it reaches the service, as they are typed.
    """
    words = list(arguments)
    named, own = ' '.join(map(quoted, words)), ' '.join(map(quoted, options))
    behind_options = any(word.startswith('-') for word in words)
    parts = (own, service, '--', named) if behind_options else (named, own, service)
    return PROGRAM + ' '.join(filter(None, (verb, *parts)))


def quoted(word: str) -> str:
    """A word as a shell reads it back; characters that cannot be seen are written as bash and zsh escape them."""
    if word.isascii() and word.isprintable():
        return shlex.quote(word)
    if not any(unicodedata.category(letter) in _UNSEEN for letter in word):
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(letter: str) -> str:
    if letter in "\\'":
        return f'\\{letter}'
    if unicodedata.category(letter) not in _UNSEEN:
        return letter
    return f'\\u{ord(letter):04x}' if ord(letter) <= 0xFFFF else f'\\U{ord(letter):08x}'  # noqa: PLR2004 - four digits


def value_of(text: str) -> Any:
    """``5`` is a number, ``[1]`` a list, ``"5"`` and ``five`` are text; so are NaN and Infinity, which are not JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):  # brackets that are nested too deep are no JSON that anybody could read
        return text


def _refuse(name: str) -> Any:
    raise ValueError(f'{name} is not JSON')
