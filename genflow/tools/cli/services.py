"""Which service a command talks to: a file, an endpoint, or what boto3 finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from botocore.exceptions import BotoCoreError

from genflow.local.errors import StoreError
from genflow.swf.aws import error_hints, faults
from genflow.swf.aws.connections import connect
from genflow.tools.cli.exits import Refused

__all__ = ['client_of', 'layer1_options', 'opened', 'refusing']

LONG_POLL = 0.5  # seconds: in process a poll costs nothing, and a worker that drains waits for those in flight

F = TypeVar('F', bound=Callable[..., Any])


def layer1_options(function: F) -> F:
    """Add ``--endpoint`` and ``--db`` to a command."""
    function = click.option('--db', type=click.Path(dir_okay=False), help='A file of the embedded service.')(function)
    return click.option('--endpoint', help="Address of a service; boto3's own configuration without it.")(function)


@contextmanager
def client_of(endpoint: str | None, db: str | None, **request: Any) -> Iterator[Any]:
    """A SWF client; what the service refuses, or that nothing answers, is shown as a message.

    Args:
        endpoint: The address of a service.
        db: A file, which has to be there: one that is made here would hold nothing to talk about.
        **request: What is about to be asked, which the message may name.
    """
    if db is not None and not Path(db).exists():
        raise Refused(f'{db}: there is no such file; `genflow run --db {db}` and `genflow worker --db {db}` make one.')
    with opened(endpoint, db) as layer1, refusing(**request):
        yield connect(layer1).client


@contextmanager
def refusing(**request: Any) -> Iterator[None]:
    """Show what a service refuses, or that none answers, as one message with the way out."""
    try:
        yield
    except Exception as error:
        if faults.code_of(error) is None and not isinstance(error, BotoCoreError):
            raise
        raise Refused(error_hints.explained(error, **request)) from error


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
