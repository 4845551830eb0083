"""Writing one value of the user's, with its name in the error where it cannot be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.core.errors import GenflowError
from genflow.core.payloads.hooks import encode_value
from genflow.core.text import short

__all__ = ['written']


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
        raise kind(f'{what}, {short(value)}, cannot be written: {error}') from error
