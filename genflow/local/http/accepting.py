"""Accepts connections, up to a limit.

Theory of operation. Where the process has no descriptor left, ``accept`` fails as long as nothing is closed, and the
event loop's own way of accepting then tries again without end and logs every failure. Here connections are counted, and
their number keeps some descriptors for the files of the service. Whoever connects beyond it waits in the system's
queue until another one leaves.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

from genflow.local.http.dispatcher import Dispatcher

__all__ = ['MOST', 'RESERVED', 'accept', 'most_connections']

LOG = logging.getLogger(__name__)

MOST = 10_000
"""Connections that may be open where the system sets no lower limit."""

RESERVED = 32
"""Descriptors that are kept for everything else."""

PAUSE = 1.0
"""Seconds before another attempt when the system has no room."""


def most_connections() -> int:
    """The number of connections that may be open: :data:`MOST`, or what the process's descriptors leave room for."""
    try:
        import resource  # noqa: PLC0415 - where there is no such module there is no such limit
    except ImportError:
        return MOST
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return MOST
    return max(1, min(MOST, max(limit - RESERVED, limit // 2)))


async def accept(listener: socket.socket, dispatcher: Dispatcher, make: Callable[[], asyncio.Protocol]) -> None:
    """Accept clients as long as nobody cancels this; the listener must not block."""
    loop, complained = asyncio.get_running_loop(), False
    while True:
        if not (dispatcher.room.is_set() or complained):
            complained = True
            LOG.warning('%d connections are open, and more wait until one is closed.', len(dispatcher.connections))
        await dispatcher.room.wait()
        try:
            client, _ = await loop.sock_accept(listener)
            await loop.connect_accepted_socket(make, client)
        except ConnectionError:  # the client has disconnected already
            continue
        except OSError as error:
            LOG.warning('No connection is accepted for %g s: %s', PAUSE, error)
            await asyncio.sleep(PAUSE)
