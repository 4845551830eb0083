"""Serializes the user's values; an error names the value that cannot be serialized."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from genflow.core.errors import DefinitionError, GenflowError, PayloadTooLarge
from genflow.core.payloads.hooks import MAX_PAYLOAD, encode_value
from genflow.core.payloads.wire_text import is_sendable, units
from genflow.core.text import Location, place, short

__all__ = [
    'INPUT_WAY_OUT',
    'RESULT_WAY_OUT',
    'check_input',
    'check_length',
    'named',
    'too_large',
    'written',
    'written_arguments',
]

INPUT_WAY_OUT = 'pass a reference to the data instead'
"""The remedy for arguments that are too large."""

RESULT_WAY_OUT = 'return a reference to the data instead'
"""The remedy for a result that is too large."""


def written(value: Any, what: str, write: Callable[[Any], str] = encode_value) -> str:
    """The text of a value.

    Args:
        value: What to write.
        what: Names it in an error: ``the value of signal 3``.
        write: JSON, or a serialization hook.

    Raises:
        TypeError: It is of a type that cannot be written.
        ValueError: It is of a type that can be written, and what it holds cannot: ``NaN``, a cycle, keys that JSON
            writes alike.
    """
    try:
        return write(value)
    except GenflowError:
        raise
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f'{what}, {short(value)}, cannot be serialized: {error}') from error


def written_arguments(what: str, write: Callable[..., str], args: Iterable[Any], kwargs: Mapping[str, Any]) -> str:
    """The text of the arguments of a call.

    Args:
        what: Names the call in an error: ``activity 3 Echo v1``.
        write: The serialization hook.
        args: The arguments.
        kwargs: The keyword arguments.

    Raises:
        TypeError: As for :func:`written`; names the argument where JSON cannot hold it.
        ValueError: Likewise.
    """
    try:
        return write(*args, **kwargs)
    except GenflowError:
        raise
    except (TypeError, ValueError) as error:
        for name, value in named(args, kwargs):
            written(value, f'{name} of {what}')
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f'the arguments of {what} cannot be serialized: {error}') from error


def check_input(text: Any, what: str, args: Iterable[Any], kwargs: Mapping[str, Any], where: Location | None) -> None:
    """Refuses serialized arguments that SWF would not take.

    Args:
        text: What the serialization hook gave.
        what: Names the call in an error.
        args: The arguments.
        kwargs: The keyword arguments.
        where: The user's line that made the call.

    Raises:
        DefinitionError: It is no text.
        ValueError: No client can send it.
        PayloadTooLarge: It is longer than SWF takes.
    """
    if not isinstance(text, str):
        raise DefinitionError(f'_serialize_arguments of {what} gave {type(text).__name__}, not text')
    if not is_sendable(text):
        raise ValueError(f'_serialize_arguments of {what} returned text with a lone surrogate')
    if units(text) > MAX_PAYLOAD:
        sizes = [(len(short(value, MAX_PAYLOAD)), name) for name, value in named(args, kwargs)]
        blame = f'most of it is {max(sizes)[1]}; ' if sizes else ''
        raise too_large(f'the input of {what}', text, f'{blame}{INPUT_WAY_OUT} (called at {place(where)})')


def check_length(text: str, what: str, way_out: str, *, limit: int = MAX_PAYLOAD) -> str:
    """Returns the text, if it is not too long for SWF.

    Args:
        text: What is to be sent.
        what: Names it in the error.
        way_out: The remedy, for the error.
        limit: The most characters that SWF accepts for this member.

    Raises:
        PayloadTooLarge: It is longer.
    """
    if units(text) > limit:
        raise too_large(what, text, way_out, limit=limit)
    return text


def too_large(what: str, text: str, way_out: str, *, limit: int = MAX_PAYLOAD) -> PayloadTooLarge:
    """The error that :func:`check_length` raises; it quotes no word of the text."""
    return PayloadTooLarge(f'{what} has {units(text):,} characters, SWF takes {limit:,}; {way_out}')


def named(args: Iterable[Any], kwargs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Arguments with what a message calls them."""
    found = [(f'argument {place}', value) for place, value in enumerate(args, 1)]
    return found + [(f'argument {name!r}', value) for name, value in kwargs.items()]
