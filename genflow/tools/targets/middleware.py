"""Makes middleware objects from the text of ``--middleware``."""

from __future__ import annotations

from typing import Any

from genflow.core.authoring.middleware import Middleware, stack_of
from genflow.core.errors import DefinitionError
from genflow.tools.targets.target import TargetError, object_of

__all__ = ['middleware_of']

FORM = 'Write MODULE:NAME or FILE.py:NAME, where NAME is a genflow.Middleware, its class, or a list of these.'


def middleware_of(text: str | None) -> tuple[Middleware, ...]:
    """The middleware that ``module:name`` names; none if there is no text.

    A class, also in a list, is called without arguments.

    Raises:
        TargetError: There is no such file, module or name, it does not import, or is no middleware.
    """
    if not text:
        return ()
    named = object_of(text, 'middleware', FORM)
    try:
        return stack_of([_made(one) for one in (named if isinstance(named, (list, tuple)) else [named])])
    except DefinitionError as error:
        raise TargetError(f'{text}: {error}. {FORM}') from error


def _made(value: Any) -> Any:
    """An object of a class of middleware; anything else as it is."""
    if not isinstance(value, type) or not issubclass(value, Middleware):
        return value
    try:
        return value()
    except Exception as error:
        raise TargetError(f'{value.__qualname__}(), which --middleware names, raised {error!r}.') from error
