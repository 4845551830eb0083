"""Writing values of the user's, with their names in the error where they cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from genflow.core.errors import GenflowError
from genflow.core.payloads.hooks import encode_value
from genflow.core.text import short

__all__ = ['named', 'written', 'written_arguments']


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


def named(args: Iterable[Any], kwargs: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Arguments with what a message calls them."""
    found = [(f'argument {place}', value) for place, value in enumerate(args, 1)]
    return found + [(f'argument {name!r}', value) for name, value in kwargs.items()]
