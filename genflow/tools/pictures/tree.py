"""An execution with its child executions, down to a given depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from attrs import field, frozen

from genflow.insight import ExecutionView, Operation
from genflow.insight.timeline import Bar, Scale, bars, scale_of

__all__ = ['Node', 'Picture', 'picture_of']

ChildOf = Callable[[Operation], ExecutionView | None]
"""Returns the execution of a child, ``None`` if it cannot be read."""


@frozen
class Node:
    """One line of a picture.

    Attributes:
        depth: 0 for the operations of the execution itself.
        bar: Its operation over time.
        below: The operations of the child, if the operation is one.
    """

    depth: int
    bar: Bar
    below: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        yield self
        for node in self.below:
            yield from node.walk()


@frozen
class Picture:
    """An execution as it is drawn.

    Attributes:
        view: The execution.
        now: Where open bars end.
        nodes: Its operations, in history order.
        scale: Maps times to positions.
    """

    view: ExecutionView
    now: datetime
    nodes: tuple[Node, ...]
    scale: Scale = field(repr=False)

    @property
    def without_operations(self) -> str:
        """The text for an execution without operations."""
        return 'It has scheduled nothing yet.' if self.view.is_open else 'It closed without scheduling anything.'

    def walk(self) -> Iterator[Node]:
        """Every line, top to bottom."""
        for node in self.nodes:
            yield from node.walk()


def no_children(_: Operation) -> ExecutionView | None:
    """A :data:`ChildOf` that reads no children."""
    return None


def picture_of(view: ExecutionView, now: datetime, depth: int = 0, child_of: ChildOf = no_children) -> Picture:
    """Lays an execution out.

    Args:
        view: The execution.
        now: The present.
        depth: How many levels of child workflows to include.
        child_of: Gives their executions.
    """
    nodes = tuple(_nodes(view, now, 0, depth, child_of))
    start = view.started_at or now
    end = max([view.close.at if view.close else now, start, *(node.bar.end for top in nodes for node in top.walk())])
    drawn = [node.bar for top in nodes for node in top.walk() if not node.below]
    return Picture(view, now, nodes, scale_of(drawn, start, end))


def _nodes(view: ExecutionView, now: datetime, depth: int, most: int, child_of: ChildOf) -> Iterator[Node]:
    for bar in bars(view, now):
        child = child_of(bar.operation) if bar.operation.kind == 'child' and depth < most else None
        below = () if child is None else tuple(_nodes(child, now, depth + 1, most, child_of))
        yield Node(depth, bar, below)
