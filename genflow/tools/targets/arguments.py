"""Arguments of workflows as users type them: a text that is JSON is read as JSON, any other is itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from genflow.insight.command_line import value_of

__all__ = ['WrongArgument', 'named_values', 'path_of', 'values_of']


class WrongArgument(ValueError):
    """An argument cannot be read; the text says how to write it."""


def values_of(texts: Iterable[str]) -> list[Any]:
    """The values of positional arguments.

    Raises:
        WrongArgument: One looks like an option, such as ``-x``; ``-1`` is a number.
    """
    values = []
    for text in texts:
        value = value_of(text)
        if text.startswith('-') and isinstance(value, str):
            raise WrongArgument(f'No such option: {text}. As a text, write \'"{text}"\'.')
        values.append(value)
    return values


def named_values(texts: Iterable[str]) -> dict[str, Any]:
    """The values of keyword arguments, each written ``name=value``; what is right of the first ``=`` is the value.

    Raises:
        WrongArgument: One has no name that Python takes, or one name is there twice.
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition('=')
        if not equals or not name.isidentifier():
            raise WrongArgument(
                f'{text!r} is not a keyword argument; write NAME=VALUE, where NAME is a valid Python name.'
            )
        if name in values:
            raise WrongArgument(f'the keyword argument {name!r} is given twice.')
        values[name] = value_of(value)
    return values


def path_of(text: str) -> str:
    """A path that was read as UTF-8, as Python's functions for files take it: they encode it as the locale says."""
    return os.fsdecode(text.encode('utf-8')) if os.name == 'posix' else text
