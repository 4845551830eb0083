"""The circles of a graph: nodes that can be reached from each other."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

__all__ = ['circles_of', 'innermost']

Node = TypeVar('Node', bound=Hashable)


def circles_of(graph: Mapping[Node, list[Node]]) -> list[list[Node]]:
    """The nodes that can be reached from each other, where there are several or one reaches itself."""
    return [part for part in _strongly_connected(graph) if len(part) > 1 or part[0] in graph[part[0]]]


def innermost(circles: list[list[Node]], graph: Mapping[Node, list[Node]]) -> list[list[Node]]:
    """The circles that no edge leaves."""
    return [circle for circle in circles if {other for node in circle for other in graph[node]} <= set(circle)]


def _strongly_connected(graph: Mapping[Node, list[Node]]) -> list[list[Node]]:
    """The strongly connected parts of a graph (Kosaraju's algorithm, without recursion)."""
    back: dict[Node, list[Node]] = {node: [] for node in graph}
    for node, edges in graph.items():
        for other in edges:
            back[other].append(node)
    seen: set[Node] = set()
    order = reversed(_in_postorder(graph, graph, set()))
    return [part for node in order if (part := _in_postorder(back, [node], seen))]


def _in_postorder(graph: Mapping[Node, list[Node]], starts: Iterable[Node], seen: set[Node]) -> list[Node]:
    """What is reached from some nodes and was not seen, each after all that is first reached from it."""
    found: list[Node] = []
    for start in starts:
        path = [] if start in seen else [(start, iter(graph[start]))]
        seen.add(start)
        while path:
            node, edges = path[-1]
            new = next((other for other in edges if other not in seen), None)
            if new is None:
                found.append(node)
                path.pop()
            else:
                seen.add(new)
                path.append((new, iter(graph[new])))
    return found
