"""Server-sent events: they say that a page has something new, and script fetches and merges it.

The id of an event about an execution is the id of its last SWF event, so that a browser that reconnects says how far
it has come. At most two events are sent in a second. A service that goes away is said to be lost, and back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from genflow.tools.dashboard.pages.one import looking_at
from genflow.tools.dashboard.site import Site, Streams, explained, is_expected, status_of

__all__ = ['live_execution', 'live_executions']

PACE = 0.5
"""Seconds between two events at the least."""

AGAIN = 10.0
"""Seconds after which a page is looked at again although nothing happened: deadlines pass, workers fall silent."""

Look = Callable[[], tuple[str, bool]]
"""Gives what a page shows as a short text that changes with it, and whether it can still change."""


def live_execution(site: Site, request: Request) -> StreamingResponse:
    """What is new in one execution."""

    def look() -> tuple[str, bool]:
        with looking_at(site, request) as run:
            return str(run.view.last_event_id), run.view.is_open

    return stream(site, request, look)


def live_executions(site: Site, request: Request) -> StreamingResponse:
    """What is new in the list of executions."""
    index = site.index(site.links(request).domain)

    def look() -> tuple[str, bool]:
        index.rows()
        return str(index.version), True

    return stream(site, request, look)


def stream(site: Site, request: Request, look: Look) -> StreamingResponse:
    known = request.headers.get('last-event-id') or request.query_params.get('after', '')
    events = watch(request, look, known, max(PACE, site.source.pace), site.streams)
    return StreamingResponse(events, media_type='text/event-stream')


async def watch(
    request: Request, look: Look, known: str, pace: float, streams: Streams | None = None
) -> AsyncIterator[str]:
    """The events of one connection, until the browser leaves or the streams of the dashboard end."""
    with (streams or Streams()).one() as is_over:
        async for text in _events(request, look, known, pace, is_over):
            yield text


async def _events(request: Request, look: Look, known: str, pace: float, is_over: asyncio.Event) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    sent, is_lost = clock(), False
    yield 'retry: 1000\n\n'
    while not is_over.is_set() and not await request.is_disconnected():
        try:
            seen, is_open = await run_in_threadpool(look)
        except Exception as error:  # noqa: BLE001 - what is none of the service is raised again
            name, text = trouble(error)
            if not is_lost or name == 'closed':
                yield message(name, text)
            if name == 'closed':
                return
            is_lost = True
        else:
            if is_lost or seen != known or clock() - sent > AGAIN:
                known, sent, is_lost = seen, clock(), False
                yield message('changed', seen, seen)
            if not is_open:
                yield message('closed', seen, seen)
                return
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(is_over.wait(), pace)


def trouble(error: Exception) -> tuple[str, str]:
    """The name and the text of the event about an error: what is not there will not come back.

    Raises:
        Exception: The error, if it is a fault of the dashboard.
    """
    if not is_expected(error):
        raise error
    return 'closed' if status_of(error) == HTTPStatus.NOT_FOUND else 'lost', ' '.join(explained(error).split())


def message(name: str, data: str, number: str = '') -> str:
    """One event."""
    return (f'id: {number}\n' if number else '') + f'event: {name}\ndata: {data}\n\n'
