"""Paginated responses: further pages are requested for as long as the service names a next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ['pages']


def pages(call: Callable[..., Mapping[str, Any]], **request: Any) -> Iterator[Mapping[str, Any]]:
    """The pages of a response, each requested when it is iterated.

    Args:
        call: A method of a client, or a callable like one.
        **request: Its arguments, the same for every page; with a ``nextPageToken`` it begins with that page.

    Raises:
        Exception: The client's error.
    """
    page = call(**request)
    yield page
    while page.get('nextPageToken'):
        page = call(**{**request, 'nextPageToken': page['nextPageToken']})
        yield page
