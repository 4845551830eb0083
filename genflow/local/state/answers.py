"""Numbered calls and their answers, so that a call whose answer was lost can be repeated and happens once.

Every process that shares a file has a name, and numbers the calls with which it changes something. The answer is kept
under that number, in memory and, with the changes of the call, in the file: whoever serves the file next knows it too.
With each call the process tells the lowest number whose answer it still waits for; what is below is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field, frozen

__all__ = ['ANYBODY', 'Answers', 'Caller']


@frozen
class Caller:
    """Who makes a call.

    Attributes:
        process: The name of its process; empty for anybody else.
        number: Of the call; 0 where it has none, and is not repeated.
        waits_from: The lowest number whose answer the process still waits for.
        owns: The tasks that it takes are that process's, and lost with it.
    """

    process: str = ''
    number: int = 0
    waits_from: int = 0
    owns: bool = True


ANYBODY = Caller()


@define(eq=False)
class Answers:
    """What numbered calls were answered."""

    _by_process: dict[str, dict[int, str]] = field(factory=dict)

    def find(self, caller: Caller) -> str | None:
        """What that call was answered, if it was carried out before."""
        return self._by_process.get(caller.process, {}).get(caller.number) if caller.number else None

    def keep(self, caller: Caller, text: str) -> None:
        """The call is answered; what the process no longer waits for is forgotten."""
        kept = self._by_process.setdefault(caller.process, {})
        for number in [number for number in kept if number < caller.waits_from]:
            del kept[number]
        kept[caller.number] = text

    def load(self, rows: Iterable[tuple[str, int, str]]) -> None:
        """Know these answers and no others."""
        self._by_process.clear()
        for process, number, text in rows:
            self._by_process.setdefault(process, {})[number] = text

    def forget(self, process: str) -> None:
        """The process repeats no calls any more."""
        self._by_process.pop(process, None)

    def processes(self) -> list[str]:
        """Whose answers are kept."""
        return list(self._by_process)
