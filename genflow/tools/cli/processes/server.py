"""``genflow server``: the embedded service over HTTP, for any AWS SDK."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from genflow.local.clock import Clock, ManualClock, SystemClock
from genflow.local.errors import StoreError
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.parameters import SECONDS
from genflow.tools.cli.services import refused_store
from genflow.tools.cli.settings import setting_options
from genflow.tools.cli.streams import messages_on_stdout

if TYPE_CHECKING:
    from genflow.local.http.credentials import Credentials

__all__ = ['command']


@click.command('server')
@setting_options('db', default=':memory:', show_default=True, help='The file that keeps the data.')
@click.option('--host', default='127.0.0.1', show_default=True, help='The address to listen on.')
@click.option(
    '--port', default=4567, show_default=True, type=click.IntRange(0, 65535), help='The port; 0 picks a free one.'
)
@click.option(
    '--long-poll', default=60.0, show_default=True, type=SECONDS, help='Seconds before an empty poll returns.'
)
@click.option('--account-id', default='123456789012', show_default=True, help='Shown in ARNs.')
@click.option('--region', default='us-east-1', show_default=True, help='Shown in ARNs.')
@click.option(
    '--fast', is_flag=True, help='Faster: survives a process crash, but a power loss may lose recent commits.'
)
@click.option(
    '--credentials',
    type=click.Path(dir_okay=False),
    help='Access keys, in the format of ~/.aws/credentials. Requests must be signed with one of them.',
)
@click.option('--insecure', is_flag=True, help='Listen beyond the loopback interface without --credentials.')
@click.option('--test-control', is_flag=True, help='Use a manual clock, which requests to /_genflow advance.')
@click.option('--ui', is_flag=True, help='Serve the dashboard too; its address is the second line of output.')
@click.option(
    '--ui-port', default=4568, show_default=True, type=click.IntRange(0, 65535), help='The port; 0 picks a free one.'
)
@click.option('--write', is_flag=True, help='Allow actions in the dashboard; without it, the dashboard is read-only.')
def command(
    *,
    db: str,
    host: str,
    port: int,
    long_poll: float,
    account_id: str,
    region: str,
    fast: bool,
    credentials: str | None,
    insecure: bool,
    test_control: bool,
    ui: bool,
    ui_port: int,
    write: bool,
) -> None:
    """Serve the embedded SWF service over HTTP, and print its address.

    To use it from an AWS SDK, set AWS_ENDPOINT_URL_SWF to the address, and any region. With --credentials, requests
    must be signed with one of the access keys in the file, which any AWS SDK does; without, any credentials will do,
    and the server listens on the loopback interface only. GET /metrics returns metrics for Prometheus.
    """
    from genflow.local import LocalSWF
    from genflow.local.http.server import serve
    from genflow.tools.cli.processes.ui import beside, needed_for_dashboard

    keys = _credentials(credentials, host, insecure=insecure)
    if ui:
        needed_for_dashboard()
    try:
        service = LocalSWF(
            db,
            _clock(test_control=test_control),
            region=region,
            account_id=account_id,
            long_poll=long_poll,
            synchronous='NORMAL' if fast else 'FULL',
        )
    except StoreError as error:
        raise refused_store(error) from error
    with service, messages_on_stdout(), ExitStack() as stack:

        def started(url: str) -> None:
            click.echo(url)
            if ui:
                click.echo(stack.enter_context(beside(service, url, db, ui_port, write=write)).url)

        try:
            serve(
                service,
                host,
                port,
                test_control=test_control,
                credentials=keys,
                started=started,
                metrics={region: service},
            )
        except (OSError, UnicodeError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise Refused(f'{host}, port {port}: {reason}. Give another --port, or 0 for a free one.') from error


def _credentials(path: str | None, host: str, *, insecure: bool) -> Credentials | None:
    """The access keys whose requests are accepted; None accepts every request."""
    from genflow.local.http.admission import is_loopback
    from genflow.local.http.credentials import BadCredentials, read_credentials

    if path is not None:
        try:
            return read_credentials(path)
        except BadCredentials as error:
            raise Refused(str(error)) from error
    if not is_loopback(host):
        if not insecure:
            raise Refused(
                f'{host} may be reachable from other machines, and requests would not be authenticated. Give '
                '--credentials FILE with the access keys of those who may use it, or --insecure to insist.'
            )
        click.echo(f'warning: {host} may be reachable from other machines; requests are not authenticated', err=True)
    return None


def _clock(*, test_control: bool) -> Clock:
    return ManualClock(datetime.now(timezone.utc)) if test_control else SystemClock()
