"""The arguments of a workflow on a command line: ``5 book --kwarg express=true``."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import click

from genflow.tools.cli.exits import Refused
from genflow.tools.targets.arguments import WrongArgument, named_values, values_of

__all__ = ['TAKES_NEGATIVES', 'input_options', 'inputs', 'shown_value', 'value_input']

F = TypeVar('F', bound=Callable[..., Any])

TAKES_NEGATIVES = {'ignore_unknown_options': True}
"""The context settings of a command with these arguments: ``-1`` is one of them, and no option."""


def input_options(function: F) -> F:
    """Add ``[ARGS]...`` and ``--kwarg`` to a command, as ``arguments`` and ``keywords``."""
    named = click.option(
        '--kwarg', 'keywords', multiple=True, metavar='NAME=VALUE', help='A keyword argument; may be repeated.'
    )
    return click.argument('arguments', nargs=-1, type=click.UNPROCESSED, metavar='[ARGS]...')(named(function))


def inputs(arguments: tuple[str, ...], keywords: tuple[str, ...]) -> tuple[list[Any], dict[str, Any]]:
    """Parses the values on the command line.

    Raises:
        Refused: One cannot be read.
    """
    try:
        return values_of(arguments), named_values(keywords)
    except WrongArgument as error:
        raise Refused(str(error)) from error


def value_input(text: str | None) -> Any:
    """The value of one optional argument; ``None`` if it is omitted.

    Raises:
        Refused: It looks like an option.
    """
    return None if text is None else inputs((text,), ())[0][0]


def shown_value(value: Any) -> str:
    """A value as JSON; parts that JSON does not support become text."""
    from genflow.core.payloads.hooks import encode_value

    with suppress(TypeError):
        value = json.loads(encode_value(value))
    return json.dumps(value, ensure_ascii=False, default=str)
