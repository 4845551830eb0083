"""Names and ids that SWF accepts. It refuses a response as a whole if one of its decisions has another one."""

from __future__ import annotations

from typing import Any

from genflow.core.errors import DefinitionError

__all__ = ['checked_id', 'checked_name', 'checked_text']

CONTROLS = frozenset(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
FORBIDDEN = CONTROLS | frozenset(':/|')


def checked_text(value: Any, what: str, most: int = 256) -> str:
    """Checks a text of at most ``most`` UTF-16 code units that a client can send and SWF accepts, and returns it.

    Raises:
        DefinitionError: It is no text, empty, too long, or contains a lone surrogate.
    """
    if not isinstance(value, str) or not value or _units(value) > most:
        raise DefinitionError(f'{what} is {value!r}; it must be text of 1 to {most} characters without lone surrogates')
    return value


def checked_id(value: Any, what: str, most: int = 256) -> str:
    """The id of an execution.

    Raises:
        DefinitionError: As for :func:`checked_text`, or it contains a control character, or is ``arn``.
    """
    text = checked_text(value, what, most)
    if text == 'arn' or (set(text) & CONTROLS):
        raise DefinitionError(f"{what} is {value!r}; SWF allows no control character, and not 'arn'")
    return text


def checked_name(value: Any, what: str, most: int = 256) -> str:
    """The name of a type or a task list, or a version.

    Raises:
        DefinitionError: As for :func:`checked_id`, or it contains a colon, a slash or a bar.
    """
    text = checked_text(value, what, most)
    if text == 'arn' or (set(text) & FORBIDDEN):
        raise DefinitionError(f"{what} is {value!r}; SWF allows no ':', '/', '|' or control character, and not 'arn'")
    return text


def _units(text: str) -> float:
    """The length as SWF counts it; infinite where the text cannot be sent at all."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode('utf-16-le')) // 2
    except UnicodeEncodeError:
        return float('inf')
