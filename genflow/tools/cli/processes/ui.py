"""``genflow ui``: the dashboard, for any SWF, for a file of the embedded service, or for a folder of histories."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from genflow.core.model.registry import WorkflowSpec
from genflow.insight.command_line import quoted
from genflow.local.errors import StoreError
from genflow.swf.aws.connections import connect
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.services import layer1_options, options_of, refused_store, refusing
from genflow.tools.cli.settings import setting_options
from genflow.tools.cli.streams import messages_on_stdout
from genflow.tools.run.defaults import DOMAIN
from genflow.tools.targets.target import TargetError, module_of, parse, workflow_of

if TYPE_CHECKING:
    from genflow.local import LocalSWF
    from genflow.tools.dashboard.data.source import Fork, Source
    from genflow.tools.dashboard.serving import DashboardServer
    from genflow.tools.dashboard.site import Site

__all__ = ['at_address', 'beside', 'command', 'needed_for_dashboard', 'site_of']

LOOPBACK = '127.0.0.1'
COMMANDLINE = click.core.ParameterSource.COMMANDLINE
NEEDED = ('jinja2', 'starlette', 'uvicorn')
PACE = 1.0  # seconds between two polls of a service in another process


@click.command('ui')
@click.argument('folder', required=False, type=click.Path(file_okay=False, exists=True))
@click.option('--target', help='A file or module with the workflow code; branches are then shown with source lines.')
@click.option('--host', default='127.0.0.1', show_default=True, help='The address to listen on.')
@click.option(
    '--port', default=4568, show_default=True, type=click.IntRange(0, 65535), help='The port; 0 picks a free one.'
)
@click.option(
    '--token', envvar='GENFLOW_UI_TOKEN', help='The token to log in with; required beyond the loopback interface.'
)
@click.option('--write', is_flag=True, help='Allow actions, such as signals and cancellation. Default: read-only.')
@setting_options('domain', help=f'The SWF domain to open first. Default: {DOMAIN}, or else the first domain.')
@layer1_options
@click.pass_context
def command(
    ctx: click.Context,
    *,
    folder: str | None,
    target: str | None,
    host: str,
    port: int,
    token: str | None,
    write: bool,
    domain: str | None,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Show executions in a browser, and print the address.

    FOLDER contains histories as `aws swf get-workflow-execution-history` prints them. Without it: the service at
    --endpoint, the --db file, or Amazon SWF as boto3 is configured.
    """
    from genflow.local.http.admission import is_loopback

    needed_for_dashboard()
    if not is_loopback(host) and not token:
        raise Refused(f'{host} may be reachable from other machines. Give --token TEXT, which everybody logs in with.')
    with ExitStack() as stack:
        source = _source(stack, ctx, folder, domain or DOMAIN, endpoint, db)
        source = source if domain else _in_known_domain(source)
        site = site_of(source, target, host, token or None, write=write)
        serve(site, host, port)


def _in_known_domain(source: Source) -> Source:
    """The source with a domain that it has, where it tells."""
    with contextlib.suppress(Exception):  # a service that does not answer is shown as such by the pages
        known = source.domains()
        if known and source.domain not in known:
            return evolve(source, domain=known[0])
    return source


def needed_for_dashboard() -> None:
    """Refuses where the extra is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise Refused(f'The dashboard needs {" and ".join(missing)}. Install the extra: pip install "genflow[ui]"')


def serve(site: Site, host: str, port: int) -> None:
    """Serves a dashboard until it is interrupted, and prints its address."""
    server = _listening(site, host, port)
    with messages_on_stdout(), _ending_quietly():
        click.echo(server.url)
        server.run()


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """Suppresses the signals that ended a server, which the server raises again when it has ended."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listening(site: Site, host: str, port: int) -> DashboardServer:
    """A server that is bound to its address.

    Raises:
        Refused: The address cannot be listened on.
    """
    from genflow.tools.dashboard.serving import DashboardServer

    try:
        return DashboardServer(site, host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise Refused(f'{host}, port {port}: {reason}. Give another port, or 0 for a free one.') from error


def beside(service: LocalSWF, url: str, name: str, port: int, *, write: bool) -> DashboardServer:
    """A dashboard of a service that this process serves; on the loopback interface, whatever the service is on."""
    from genflow.tools.dashboard.data.source import Source

    file = None if name == ':memory:' else name
    source = Source(service, name, DOMAIN, f'--endpoint {url}', file, fork=service.fork_run, clock=service.clock.now)
    return _listening(site_of(_in_known_domain(source), None, LOOPBACK, None, write=write), LOOPBACK, port)


def at_address(url: str, name: str, domain: str, file: str | None, fork: Fork) -> DashboardServer | None:
    """A dashboard, with actions, of a service that this process serves at an address.

    Args:
        url: The address.
        name: Its name for people.
        domain: The domain to begin with.
        file: The file that keeps it.
        fork: Copies a history into a new run.

    Returns:
        The server, on a free port of the loopback interface; ``None`` where the extra is not installed.
    """
    if any(find_spec(module) is None for module in NEEDED):
        return None
    from genflow.tools.dashboard.data.source import Source

    source = Source(connect(url).client, name, domain, f'--endpoint {url}', file, fork=fork)
    return _listening(site_of(source, None, LOOPBACK, None, write=True), LOOPBACK, 0)


def site_of(source: Source, target: str | None, host: str, token: str | None, *, write: bool) -> Site:
    """A dashboard of a source, with the code of a target."""
    from genflow.tools.dashboard.security import Policy
    from genflow.tools.dashboard.site import Site

    return Site(source, Policy(host, token, write), _spec(target), target is not None)


def _spec(target: str | None) -> WorkflowSpec | None:
    """The class that a target names; ``None`` where it names a module whose classes go by their types."""
    if target is None:
        return None
    try:
        parsed = parse(target)
        module = module_of(parsed)
        return None if parsed.cls is None else workflow_of(module, parsed)
    except TargetError as error:
        raise Refused(str(error)) from error


def _source(
    stack: ExitStack,
    ctx: click.Context,
    folder: str | None,
    domain: str,
    endpoint: str | None,
    db: str | None,
) -> Source:
    """The service or folder that this dashboard shows.

    Raises:
        Refused: It is not one thing, or not there.
    """
    from genflow.tools.dashboard.data.folder import FILES, FolderClient
    from genflow.tools.dashboard.data.source import Source

    typed = [name for name in ('folder', 'endpoint', 'db') if ctx.get_parameter_source(name) is COMMANDLINE]
    if len(typed) > 1:
        raise Refused(f'{" and ".join(typed)} name different things to look at; give one of them.')
    if folder is not None:
        return Source(FolderClient(Path(folder)), folder, FILES, is_live=False)
    if db is not None:
        if not Path(db).exists():
            raise Refused(f'{db}: there is no such file; `genflow run --db {quoted(db)}` makes one.')
        service = stack.enter_context(_opened(db))
        return Source(service, db, domain, f'--db {quoted(db)}', db, fork=service.fork_run)
    with refusing(domain=domain):
        connection = connect(endpoint)
    return Source(connection.client, connection.backend, domain, options_of(DOMAIN, endpoint, None), pace=PACE)


@contextmanager
def _opened(db: str) -> Iterator[LocalSWF]:
    """The service of a file, which gives histories in few pages."""
    from genflow.local import LocalSWF
    from genflow.local.state.limits import LARGE_PAGES

    try:
        service = LocalSWF(db, limits=LARGE_PAGES)
    except StoreError as error:
        raise refused_store(error) from error
    with service:
        yield service
