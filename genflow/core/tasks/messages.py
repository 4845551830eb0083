"""One signal that came: its text, and the value that it is read as, made once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from genflow.core.payloads.hooks import decode, excerpt
from genflow.core.payloads.structuring import structuring
from genflow.core.payloads.type_hints import resolved

__all__ = ['Message', 'Misfit', 'Read', 'read_json', 'reader_of', 'type_in']

Read = Callable[['str | None'], Any]
"""Makes the value of an input.

Raises:
    Misfit: It cannot be read.
"""


class Misfit(ValueError):
    """An input is no JSON, or not of the type that is asked for.

    Attributes:
        kind: What is wrong, without the input.
    """

    def __init__(self, kind: str, text: str | None) -> None:
        super().__init__(f'{kind}: {excerpt(text or "")}')
        self.kind = kind


class Message:
    """A signal that nobody has read.

    Attributes:
        text: Its input.
    """

    __slots__ = ('_error', '_reads', '_value', 'text')

    def __init__(self, text: str | None) -> None:
        self.text = text
        self._reads: Read | None = None
        self._value: Any = None
        self._error: Misfit | None = None

    def value(self, reads: Read) -> Any:
        """The value, made at the first call.

        Raises:
            Misfit: The text cannot be read.
        """
        if self._reads is not reads:
            self._reads, self._error = reads, None
            try:
                self._value = reads(self.text)
            except Misfit as error:
                self._error = error
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self._value


def read_json(text: str | None) -> Any:
    """The value of a JSON text; of none, ``None``.

    Raises:
        Misfit: The text is no JSON.
    """
    try:
        return None if text is None or text == '' else decode(text)
    except ValueError as error:
        raise Misfit('is no JSON', text) from error


def type_in(hint: Any, owner: type | None) -> Any:
    """The type that a hint names; a name in quotes is looked up where the class stands."""
    return resolved(hint, {} if owner is None else {**vars(sys.modules.get(owner.__module__, sys)), **vars(owner)})


def reader_of(hint: Any, owner: type | None, what: str) -> Read:
    """What reads values of a type.

    Args:
        hint: The type; a name in quotes is looked up where the class stands.
        owner: The class.
        what: Whose type it is, for messages.

    Raises:
        DefinitionError: The type names something that is not there, or asks for more than JSON holds and cattrs is not
            installed.
    """
    hint = type_in(hint, owner)
    structure = structuring(hint, what)
    if structure is None:
        return read_json

    def read(text: str | None) -> Any:
        value = read_json(text)
        try:
            return structure(value)
        except Exception as error:
            raise Misfit(f'is no {getattr(hint, "__name__", hint)}', text) from error

    return read
