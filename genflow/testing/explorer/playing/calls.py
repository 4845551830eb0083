"""The calls that a workflow made, as checks and judges see them."""

from __future__ import annotations

from typing import Any

from genflow.core.payloads.hooks import decode

__all__ = ['Call']


class Call:
    """A call that the workflow made, as checks see it: one for each attempt that was scheduled.

    Attributes:
        kind: ``activity``, ``child`` or ``lambda``.
        name: Of the type.
        args: Positional arguments; of an input that is not genflow's JSON, the text.
        kwargs: Keyword arguments.
        number: Of the call in its run; further attempts have the same number.
        run: Which run of the execution made it, from 1.
        outcome: ``open``, ``completed``, ``failed``, ``timed out``, ``canceled`` or ``terminated``.
        ended: How many calls had been made when it ended; ``None`` while it is open.
    """

    __slots__ = ('_words', 'attribute', 'ended', 'input', 'kind', 'name', 'number', 'outcome', 'run')

    def __init__(self, kind: str, name: str, attribute: str, input: str | None, number: str, run: int) -> None:
        self.kind = kind
        self.name = name
        self.attribute = attribute
        self.input = input
        self.number = number
        self.run = run
        self.outcome = 'open'
        self.ended: int | None = None
        self._words: tuple[list[Any], dict[str, Any]] | None = None

    @property
    def args(self) -> list[Any]:
        return self._read()[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        return self._read()[1]

    def _read(self) -> tuple[list[Any], dict[str, Any]]:
        if self._words is None:
            self._words = _arguments(self.input)
        return self._words

    def over(self, outcome: str, ended: int) -> Call:
        """The same call, once it has ended; runs that have a beginning in common share the one that is open."""
        call = Call(self.kind, self.name, self.attribute, self.input, self.number, self.run)
        call.outcome, call.ended = outcome, ended
        return call

    def __repr__(self) -> str:
        words = [*map(repr, self.args), *(f'{name}={value!r}' for name, value in self.kwargs.items())]
        return f'{self.attribute or self.name}({", ".join(words)})'


def _arguments(input: str | None) -> tuple[list[Any], dict[str, Any]]:
    try:
        args, kwargs = decode(input or '[[], {}]')
    except (ValueError, TypeError):
        return [input], {}
    return (args, kwargs) if isinstance(args, list) and isinstance(kwargs, dict) else ([input], {})
