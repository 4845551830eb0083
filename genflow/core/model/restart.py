"""The value that ``self.restart(...)`` gives and ``run`` returns, to continue the execution as new."""

from __future__ import annotations

from typing import Any

from genflow.core.model.options import RestartOptions

__all__ = ['Restart']


class Restart:
    """The restart of an execution; ``run`` has to return it."""

    __slots__ = ('args', 'input', 'kwargs', 'options')

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], options: RestartOptions, input: str) -> None:
        self.args = args
        self.kwargs = kwargs
        self.options = options
        self.input = input

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Restart):
            return NotImplemented
        return (self.args, self.kwargs, self.options) == (other.args, other.kwargs, other.options)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        words = [*map(repr, self.args), *(f'{name}={value!r}' for name, value in self.kwargs.items())]
        return f'<restart({", ".join(words)})>'
