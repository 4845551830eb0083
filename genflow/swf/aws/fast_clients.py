"""The clients that read histories fast, each with what requests its pages.

Only botocore's clients do. What that takes is loaded with the first of them, and not with a service in process.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genflow.swf.aws.page_requests import PageRequests

__all__ = ['PAGED', 'page_requests_of', 'reading_ahead', 'remember']

PAGED = frozenset({'poll_for_decision_task', 'get_workflow_execution_history'})
"""A client's methods whose answers have events."""

_REQUESTS: weakref.WeakKeyDictionary[Any, PageRequests] = weakref.WeakKeyDictionary()


def remember(client: Any, requests: PageRequests) -> None:
    """Has :func:`page_requests_of` find those of a client, as long as it lives."""
    _REQUESTS[client] = requests


def page_requests_of(client: Any) -> PageRequests | None:
    """Those of a client; ``None`` for clients that no :func:`~genflow.swf.fast` was called with."""
    try:
        return _REQUESTS.get(client)
    except TypeError:  # neither hashable nor referable: none of botocore's
        return None


@contextmanager
def reading_ahead(client: Any, method: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """In the block, a callable like a client's method, which fetches pages before they are called for.

    Args:
        client: Has the methods of boto3's SWF client; with one that is not fast, or not botocore's, it is the method.
        method: The name of the method.
    """
    ask: Callable[..., dict[str, Any]] = getattr(client, method)
    requests = page_requests_of(client)
    if requests is None:
        yield ask
        return
    with requests.ahead(method) as ahead:
        yield partial(ahead.page, ask)
