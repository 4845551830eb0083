"""The service that a command uses: a file, an endpoint, or what boto3 finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from genflow.insight.command_line import command_line, quoted
from genflow.local.errors import FileInUse, StoreError
from genflow.tools.cli.exits import Refused, Unavailable
from genflow.tools.cli.settings import current_settings, setting_options
from genflow.tools.run.defaults import DOMAIN

__all__ = [
    'again_of',
    'client_of',
    'layer1_options',
    'opened',
    'options_of',
    'read_only_option',
    'refused_store',
    'refusing',
    'service_options',
]

LONG_POLL = 0.5  # seconds: in process a poll costs nothing, and a worker that drains waits for those in flight

UNCONFIGURED = ('NoRegionError', 'NoCredentialsError', 'PartialCredentialsError', 'ProfileNotFound')
"""The errors of boto3 for missing credentials, region or profile."""

READ_ONLY = 'genflow.read_only'
"""The key in a command's context for ``--read-only``."""

F = TypeVar('F', bound=Callable[..., Any])


def layer1_options(function: F) -> F:
    """Add ``--endpoint`` and ``--db`` to a command."""
    return setting_options('endpoint', 'db')(function)


def read_only_option(function: F) -> F:
    """Add ``--read-only`` to a command, which :func:`opened` obeys."""

    def keep(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        ctx.meta[READ_ONLY] = value

    option = click.option(
        '--read-only', is_flag=True, expose_value=False, callback=keep, help='Open the file read-only; write nothing.'
    )
    return option(function)


def service_options(function: F) -> F:
    """Add ``--domain``, ``--endpoint`` and ``--db`` to a command."""
    return setting_options('domain', default=DOMAIN, show_default=True)(layer1_options(function))


@contextmanager
def client_of(endpoint: str | None, db: str | None, **request: Any) -> Iterator[Any]:
    """Opens a SWF client. Errors of the service, and a service that does not answer, are shown as one message.

    Args:
        endpoint: The address of a service.
        db: A file, which has to exist: a new one would contain no executions.
        **request: The parameters of the request, which the message may name.
    """
    from genflow.swf.aws.connections import connect

    if db is not None and not Path(db).exists():
        named = f'--db {quoted(db)}'
        raise Refused(f'{db}: there is no such file; `genflow run {named}` and `genflow worker {named}` make one.')
    with opened(endpoint, db) as layer1, refusing(options_of(DOMAIN, endpoint, db), **request):
        yield connect(layer1).client


@contextmanager
def refusing(service: str = '', **request: Any) -> Iterator[None]:
    """Shows errors of a service, and a service that does not answer, as one message with a remedy.

    Args:
        service: The options with which the commands of the message reach the service, as they are typed.
        **request: The parameters of the request, which the message may name.
    """
    try:
        yield
    except StoreError as error:
        raise refused_store(error) from error
    except Exception as error:
        from genflow.swf.aws import error_hints, faults

        if _is_of_botocore(error) and type(error).__name__ in UNCONFIGURED:
            raise Refused(
                f'Amazon SWF cannot be reached: {str(error).rstrip(".")}. Give --db FILE or --endpoint URL for the '
                'embedded service, or configure AWS (--region, and credentials or --profile).'
            ) from error
        if faults.code_of(error) is None and not _is_of_botocore(error):
            raise
        waits = faults.is_transient(error) or faults.is_timeout(error)
        message = error_hints.explained(error, service=service, **request)
        raise (Unavailable if waits else Refused)(message) from error


def _is_of_botocore(error: BaseException) -> bool:
    """Whether botocore raised it, without importing botocore."""
    return any(
        kind.__module__ == 'botocore.exceptions' and kind.__name__ == 'BotoCoreError' for kind in type(error).__mro__
    )


def refused_store(error: StoreError) -> Refused:
    """The error for a file of the embedded service that cannot be used."""
    return Unavailable(str(error)) if isinstance(error, FileInUse) else Refused(str(error))


@contextmanager
def opened(endpoint: str | None, db: str | None) -> Iterator[Any]:
    """The value for ``layer1``.

    Raises:
        Refused: Both were given, or the file cannot be used.
    """
    if endpoint is not None and db is not None:
        raise Refused('--endpoint and --db name two different services; give one of them.')
    if db is None:
        yield endpoint
        return
    from genflow.local import LocalSWF
    from genflow.local.state.limits import LARGE_PAGES

    try:
        context = click.get_current_context(silent=True)
        looks = context is not None and context.meta.get(READ_ONLY, False)
        service = LocalSWF(db, long_poll=LONG_POLL, limits=LARGE_PAGES, mode='r' if looks else 'rw')
    except StoreError as error:
        raise refused_store(error) from error
    try:
        yield service
    finally:
        service.close()


def options_of(domain: str, endpoint: str | None, db: str | None) -> str:
    """The options with which another command reaches the same service, as they are typed."""
    settings = current_settings()
    places = {'region': settings.given('region'), 'profile': settings.given('profile')}
    named = {'domain': None if domain == DOMAIN else domain, 'endpoint': endpoint, 'db': db, **places}
    return ' '.join(f'--{name} {quoted(value)}' for name, value in named.items() if value)


def again_of(verb: str, workflow_id: str, domain: str, endpoint: str | None, db: str | None) -> str:
    """A command about an execution, as it is typed for the same service."""
    return f'`{command_line(verb, [workflow_id], service=options_of(domain, endpoint, db))}`'
