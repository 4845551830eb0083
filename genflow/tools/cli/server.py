"""``genflow server``: the embedded service over HTTP, for any AWS SDK."""

from __future__ import annotations

from datetime import datetime, timezone

import click

from genflow.local import Clock, LocalSWF, ManualClock, SystemClock
from genflow.local.errors import StoreError
from genflow.local.http.server import serve
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.parameters import FILE, SECONDS
from genflow.tools.cli.services import refused_store
from genflow.tools.cli.streams import messages_on_stdout, say

__all__ = ['command']

LOOPBACK = frozenset({'127.0.0.1', '::1', 'localhost'})


@click.command('server')
@click.option('--db', default=':memory:', show_default=True, type=FILE, help='Keeps everything.')
@click.option('--host', default='127.0.0.1', show_default=True, help='The address to listen on.')
@click.option('--port', default=4567, show_default=True, type=click.IntRange(0, 65535), help='0 takes a free one.')
@click.option('--long-poll', default=60.0, show_default=True, type=SECONDS, help='Seconds of an empty poll.')
@click.option('--account-id', default='123456789012', show_default=True, help='Appears in ARNs.')
@click.option('--region', default='us-east-1', show_default=True, help='Appears in ARNs.')
@click.option('--fast', is_flag=True, help='A loss of power may lose the last moments; the death of the process not.')
@click.option('--test-control', is_flag=True, help='The clock stands still, and requests to /_genflow move it.')
def command(
    *,
    db: str,
    host: str,
    port: int,
    long_poll: float,
    account_id: str,
    region: str,
    fast: bool,
    test_control: bool,
) -> None:
    """Serve the embedded SWF service over HTTP; prints its address.

    Set AWS_ENDPOINT_URL_SWF to the address, and any credentials and region, and an AWS SDK uses it. Signatures are
    not checked: whoever reaches the address may do everything.
    """
    if host not in LOOPBACK:
        say(f'genflow: {host} may be reached from outside of this machine, and nobody is asked who he is')
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
    with service, messages_on_stdout():
        try:
            serve(service, host, port, test_control=test_control, started=click.echo)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise Refused(f'{host}, port {port}: {reason}. Give another --port, or 0 for a free one.') from error


def _clock(*, test_control: bool) -> Clock:
    return ManualClock(datetime.now(timezone.utc)) if test_control else SystemClock()
