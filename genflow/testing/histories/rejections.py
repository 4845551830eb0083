"""The decisions of one response that SWF refuses, because a test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genflow.swf.wire.decisions import ENCODERS
from genflow.testing.histories.matchers import fits, shown
from genflow.testing.histories.open_items import ImpossibleStory, Item

__all__ = ['Refusing']

DECISION_TYPES = frozenset(kind for kind, _ in ENCODERS.values())

Test = Callable[[str, 'Item | None'], bool]


class Refusing:
    """Says of each decision with which cause it is refused; each name refuses one.

    Args:
        workflow: The workflow class, for names of its proxies.
        causes: By task or decision type: SWF's cause.
    """

    def __init__(self, workflow: Any, causes: Mapping[Any, str]) -> None:
        self._left = [(named, _test(workflow, named), cause) for named, cause in causes.items()]

    def __call__(self, kind: str, item: Item | None) -> str | None:
        """The cause with which a decision is refused: its type, and the item that it would open."""
        for entry in self._left:
            _, test, cause = entry
            if test(kind, item):
                self._left.remove(entry)
                return cause
        return None

    def check(self) -> None:
        """Everything that was to be refused has been.

        Raises:
            ImpossibleStory: Something was not decided at all.
        """
        if self._left:
            raise ImpossibleStory(f'{shown(self._left[0][0])} cannot be refused: it is not among the decisions')


def _test(workflow: Any, named: Any) -> Test:
    if isinstance(named, str) and named in DECISION_TYPES:
        return lambda kind, item: kind == named
    fit = fits(workflow, named)
    return lambda kind, item: item is not None and fit(item)
