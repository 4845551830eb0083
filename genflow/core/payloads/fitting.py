"""Whether arguments fit a signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType, MethodType
from typing import Any

__all__ = ['check_fit', 'check_signature']

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def check_fit(run: Callable[..., Any], args: Any, kwargs: Any, name: str | None = None) -> None:
    """Refuses deserialized arguments that ``run`` does not take.

    Args:
        run: Any callable: an object that an application has made may have a wrapper or a partial as its ``run``.
        args: The positional arguments.
        kwargs: The keyword arguments.
        name: Names ``run`` in the error; its own qualified name unless given.

    Raises:
        TypeError: They do not fit; it shows the signature.
    """
    try:
        check_signature(run, args, kwargs)
    except TypeError as error:
        name = name or getattr(run, '__qualname__', 'run')  # a partial has none
        raise TypeError(f'the arguments do not fit {name}{inspect.signature(run)}: {error}') from None


def check_signature(run: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Refuses arguments that a signature does not take; the check is quick for a few positional arguments.

    Raises:
        TypeError: They do not fit.
        ValueError: It has no signature that Python knows.
    """
    function = run.__func__ if isinstance(run, MethodType) else None
    if not isinstance(function, FunctionType):
        inspect.signature(run).bind(*args, **kwargs)
        return
    least, most = _positions(function)
    if kwargs or not least <= len(args) + 1 <= most:
        _signature(function).bind(run.__self__, *args, **kwargs)  # type: ignore[attr-defined]


@lru_cache(maxsize=1_024)
def _positions(run: FunctionType) -> tuple[int, int]:
    """The least and the most positional arguments that certainly fit: a cheap check before a real binding."""
    parameters = list(_signature(run).parameters.values())
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if len(positional) < len(parameters):
        return 1, 0
    return sum(parameter.default is parameter.empty for parameter in positional), len(positional)


@lru_cache(maxsize=1_024)
def _signature(run: FunctionType) -> inspect.Signature:
    """The signature of the function ``run`` with ``self``; cached, since reading it is slow."""
    return inspect.signature(run)
