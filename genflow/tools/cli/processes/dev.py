"""``genflow dev``: a service, a worker and a live page in one command, which reloads saved code."""

from __future__ import annotations

import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genflow.local.errors import StoreError
from genflow.tools.cli.exits import Refused
from genflow.tools.cli.processes.keys import keys_pressed
from genflow.tools.cli.services import refused_store
from genflow.tools.cli.settings import setting_options
from genflow.tools.current_folder import current_folder
from genflow.tools.run.defaults import DOMAIN
from genflow.tools.targets.target import Target, is_file, parse

if TYPE_CHECKING:
    from genflow.tools.dev.page import Executions, Page
    from genflow.tools.dev.session import Session

__all__ = ['command', 'follow']

REFRESH = 0.25  # seconds between two polls of the executions
SAVED = 'saved'
QUIT = 'q'


@click.command('dev')
@click.argument('target')
@setting_options('db', help='Keep the executions in this file. Default: in memory, until the command ends.')
@click.option('--port', default=0, type=click.IntRange(0, 65535), help='The port of the service. Default: a free one.')
@click.option('--ui/--no-ui', default=True, show_default=True, help='Serve the dashboard, if it is installed.')
@setting_options('domain', default=DOMAIN, show_default=True)
@setting_options('middleware')
def command(*, target: str, db: str | None, port: int, ui: bool, domain: str, middleware: str | None) -> None:
    """Run TARGET, a file or module, on the embedded service, and reload its code when it is saved.

    A save never holds an open execution. If the saved code has an error, or does not match an open execution, the
    previous code keeps running. You then choose by a key: r starts the executions that do not match again, p repairs
    them, k keeps the previous code. q or Ctrl-C ends the command.
    """
    from genflow.tools.dev.page import Executions, LivePage, PlainPage, drawn
    from genflow.tools.dev.session import Session

    folder = _folder(parse(target))
    messages: queue.SimpleQueue[str] = queue.SimpleQueue()
    page: Page = PlainPage(sys.stderr)
    session = Session(target, domain, page.tell, db, port, middleware or '')
    executions = Executions(session)
    if sys.stderr.isatty():
        page = LivePage(lambda: drawn(session, executions.views, datetime.now(timezone.utc)))
        session.tell = page.tell
    try:
        with (
            session,
            _dashboard(session, shown=ui),
            keys_pressed(messages.put),
            _ended_by_signals(messages),
            _watched(folder, lambda: messages.put(SAVED)),
        ):
            page.tell(f'serving {session.url}, domain {session.domain}; watching {folder}')
            if session.dashboard:
                page.tell(f'the dashboard is at {session.dashboard}')
            page.start()
            try:
                session.saved()
                follow(session, executions, page, messages)
            except KeyboardInterrupt:
                pass  # the normal end
            finally:
                page.stop()
    except StoreError as error:
        raise refused_store(error) from error
    except OSError as error:
        raise Refused(f'port {port}: {error.strerror or error}. Give another --port, or 0 for a free one.') from error


@contextmanager
def _ended_by_signals(messages: queue.SimpleQueue[str]) -> Iterator[None]:
    """Has SIGTERM, and SIGHUP as a terminal sends it that is closed, end the command as its key does."""
    names = [name for name in ('SIGTERM', 'SIGHUP') if hasattr(signal, name)]
    numbers = [signal.Signals[name] for name in names if signal.getsignal(signal.Signals[name]) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: messages.put(QUIT)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _dashboard(session: Session, *, shown: bool) -> Iterator[None]:
    """Serves the dashboard of a session, if its extra is installed."""
    from genflow.tools.cli.processes.ui import at_address

    place = session.url, session.target, session.domain, session.db
    server = at_address(*place, session.fork_run) if shown else None
    if server is None:
        yield
        return
    with server:
        session.dashboard = server.url
        yield


def follow(session: Session, executions: Executions, page: Page, messages: queue.SimpleQueue[str]) -> None:
    """Follows saves and keys, and shows the executions, until the user quits."""
    from genflow.tools.dev.session import CHOICES

    while True:
        for text in executions.refresh():
            page.tell(text)
        try:
            message = messages.get(timeout=REFRESH)
        except queue.Empty:
            continue
        if message == QUIT:
            return
        if message == SAVED:
            session.saved()
        elif message in CHOICES:
            session.choose(message)


def _folder(target: Target) -> Path:
    """Returns the folder to watch: that of a file, or that of a module's package."""
    if target.is_file:
        path = Path(target.place)
        if not is_file(path):
            raise Refused(f'there is no file {target.place!r} (looked in {current_folder()}).')
        return path.resolve().parent
    sys.path.insert(0, '')
    name = target.place.partition('.')[0]
    spec = find_spec(name) if name.isidentifier() else None
    if spec is None or spec.origin is None:
        raise Refused(f'there is no module {target.place!r} (looked in {current_folder()} and on sys.path).')
    return Path(spec.origin).resolve().parent


@contextmanager
def _watched(folder: Path, tell: Callable[[], None]) -> Iterator[None]:
    """Calls a function at each save of a Python file in a folder or below."""
    try:
        from watchfiles import PythonFilter, watch
    except ImportError as error:
        raise Refused('genflow dev needs watchfiles to notice saves: pip install "genflow[cli]"') from error
    over = threading.Event()

    def watching() -> None:
        for _ in watch(folder, watch_filter=PythonFilter(), stop_event=over, raise_interrupt=False):
            tell()

    thread = threading.Thread(target=watching, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
