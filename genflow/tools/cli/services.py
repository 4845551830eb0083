"""Which service a command talks to: a file, an endpoint, or what boto3 finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from genflow.local.errors import StoreError
from genflow.tools.cli.exits import Refused

__all__ = ['layer1_options', 'opened']

LONG_POLL = 0.5  # seconds: in process a poll costs nothing, and a worker that drains waits for those in flight

F = TypeVar('F', bound=Callable[..., Any])


def layer1_options(function: F) -> F:
    """Add ``--endpoint`` and ``--db`` to a command."""
    function = click.option('--db', type=click.Path(dir_okay=False), help='A file of the embedded service.')(function)
    return click.option('--endpoint', help="Address of a service; boto3's own configuration without it.")(function)


@contextmanager
def opened(endpoint: str | None, db: str | None) -> Iterator[Any]:
    """What to give as ``layer1``.

    Raises:
        Refused: Both were given, or the file cannot be used.
    """
    if endpoint is not None and db is not None:
        raise Refused('--endpoint and --db name two different services; give one of them.')
    if db is None:
        yield endpoint
        return
    from genflow.local import LocalSWF

    try:
        service = LocalSWF(db, long_poll=LONG_POLL)
    except StoreError as error:
        raise Refused(str(error)) from error
    try:
        yield service
    finally:
        service.close()
