"""A function that a command is told to call, as text, made into the function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from genflow.tools.targets.target import TargetError, object_of

__all__ = ['function_of']

FORM = 'Write MODULE:NAME or FILE.py:NAME, where NAME is a function.'


def function_of(text: str | None) -> Callable[..., Any] | None:
    """The function that ``module:name`` means; ``None`` where there is no text.

    Raises:
        TargetError: There is no such file, module or name, it does not import, or cannot be called.
    """
    if text is None:
        return None
    named = object_of(text, 'function', FORM)
    if not callable(named):
        raise TargetError(f'{text} is {named!r}, which cannot be called. {FORM}')
    return named  # type: ignore[no-any-return]
