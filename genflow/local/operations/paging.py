"""Pages of lists and histories, and the tokens between them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, NamedTuple

from attrs import frozen

from genflow.local.requests.tokens import page_token, read_page_token
from genflow.local.state.state import State

__all__ = ['Span', 'history_page_size', 'page_of', 'page_size', 'page_start', 'span']


def page_size(state: State, request: dict[str, Any]) -> int:
    """How many items the caller wants; 0 and nothing mean as many as there may be."""
    return bounded_size(request, state.limits.page_size)


def history_page_size(state: State, request: dict[str, Any]) -> int:
    """How many events the caller gets on a page, whatever more it asks for."""
    return bounded_size(request, state.limits.history_page_size)


def bounded_size(request: dict[str, Any], most: int) -> int:
    return min(request.get('maximumPageSize') or most, most)


def page_start(state: State, request: dict[str, Any], now: int, query: str) -> Any:
    """Where the page begins according to the request's token; None at the beginning."""
    token = request.get('nextPageToken')
    return read_page_token(token, now, query, state.limits.page_token_seconds) if token else None


@frozen
class Page:
    """Part of a sorted list; ``token`` is None on the last page."""

    items: list[list[str]]
    token: str | None

    def answer(self, member: str, infos: list[dict[str, Any]]) -> dict[str, Any]:
        """The page as an answer."""
        return {member: infos, **({'nextPageToken': self.token} if self.token else {})}


def page_of(state: State, request: dict[str, Any], now: int, items: list[list[str]], query: str) -> Page:
    """A page of ``items``, which are sorted; a page begins after the last item of the one before it."""
    reverse, size = bool(request.get('reverseOrder')), page_size(state, request)
    query = f'{query} {reverse}'
    last = page_start(state, request, now, query)
    if reverse:
        rest = items[: bisect_left(items, last) if last else len(items)][::-1]
    else:
        rest = items[bisect_right(items, last) if last else 0 :]
    chosen = rest[:size]
    return Page(chosen, page_token(now, query, chosen[-1]) if len(rest) > size else None)


class Span(NamedTuple):
    """A page of a history: the ids of its first and last event, and where the next page begins (0: nowhere)."""

    first: int
    last: int
    next: int


def span(first: int, last: int, size: int, start: int | None, *, reverse: bool) -> Span:
    """The page of the events ``first`` to ``last`` that begins at ``start``; ids have no gaps, so it is arithmetic."""
    if reverse:
        top = start or last
        bottom = max(first, top - size + 1)
        return Span(bottom, top, bottom - 1 if bottom > first else 0)
    bottom = start or first
    top = min(last, bottom + size - 1)
    return Span(bottom, top, top + 1 if top < last else 0)
