"""Only to look at a file (``mode='r'``): nothing is written, and nobody is kept from leading.

Where somebody leads, the leader is asked. Otherwise a copy of the file and of its write-ahead log is opened, on a clock
that stands at the file's last change: so nothing becomes due by being looked at. While the copy is made the lock file,
if there is one, is held, so that nobody writes meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import attrs

from genflow.local.clock import ManualClock, to_datetime
from genflow.local.engine.group_commit import Statistics
from genflow.local.engine.lambdas import Run
from genflow.local.engine.served import Poll
from genflow.local.engine.service import Options, Service
from genflow.local.errors import FileInUse, ForeignFile, ReadOnly, ServiceClosed
from genflow.local.shared.link import ConnectionLost, Link
from genflow.local.shared.member import READS
from genflow.local.shared.names import new_name
from genflow.local.shared.notice import Demands, Notice, read_notice
from genflow.local.store import Store
from genflow.local.store.filelock import read_notice as read_lock_file
from genflow.local.store.filelock import shared_lock
from genflow.local.store.sqlite_errors import clear_errors

LOG = logging.getLogger(__name__)


class Onlooker:
    """A service that changes nothing.

    Args:
        options: how the file would be opened to be written.

    Raises:
        FileInUse: somebody has the file who does not share it.
        StoreError: it is not there, or cannot be read.
    """

    def __init__(self, options: Options) -> None:
        self._path = options.path
        self._link: Link | None = None
        self._service: Service | None = None
        self._closing = contextlib.ExitStack()
        if not Path(options.path).exists():
            raise ForeignFile(f'{options.path} does not exist.')
        with clear_errors(options.path):
            try:
                self._open(options)
            except BaseException:
                self._closing.close()
                raise

    def _open(self, options: Options) -> None:
        path = os.path.realpath(options.path)
        with shared_lock(f'{path}-lock') as is_free:
            if is_free:
                self._service = self._closing.enter_context(copied(path, options))
                return
        owner, text = read_lock_file(f'{path}-lock')
        notice = read_notice(text)
        if notice is None or notice.state != 'leading':
            notice = notice or Notice(state='alone', process=owner)
            raise FileInUse(f'{options.path} is in use by process {owner}, which does not share it: {notice.why}', text)
        notice.check(options.path, Demands())
        self._link = link = Link(notice, new_name())
        self._closing.callback(link.close)

    def perform(self, operation: str, request: dict[str, Any], *, right: bool = False) -> dict[str, Any] | None:
        """Carry out an operation that only reads.

        Raises:
            ReadOnly: it does more.
        """
        if not operation.startswith(READS):
            self._refuse(operation)
        if self._service is not None:
            return self._service.perform(operation, request, right=right)
        if self._link is None:
            raise ServiceClosed(f'{self._path}: the service is closed')
        try:
            body = self._link.perform(operation, request, {}).body
        except ConnectionLost as error:
            raise FileInUse(f'{self._path}: the process that led the file has ended; open it again.') from error
        return json.loads(body) if body else None

    def _refuse(self, what: str) -> NoReturn:
        raise ReadOnly(f"{self._path} was opened read-only (mode='r'), and {what} would change it.")

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], None]) -> Poll:
        """Refused, because a poll takes a task."""
        self._refuse(operation)

    def register_lambda(self, name: str, function: Callable[..., Any], run: Run) -> None:
        """Refused."""
        self._refuse('register_lambda')

    def reset(self) -> None:
        """Refused."""
        self._refuse('reset')

    def next_deadline(self) -> datetime | None:
        """When the service would next do something by itself."""
        if self._service is not None:
            return self._service.next_deadline()
        return None

    @property
    def statistics(self) -> Statistics:
        """Nothing is counted."""
        return Statistics()

    @property
    def long_poll(self) -> float:
        """No poll is held."""
        return 0.0

    def close(self) -> None:
        """Let go of the leader, or of the copy."""
        self._closing.close()
        self._service = self._link = None


@contextlib.contextmanager
def copied(path: str, options: Options) -> Iterator[Service]:
    """A service on a copy of a file that nobody writes."""
    with tempfile.TemporaryDirectory(prefix='genflow-') as folder:
        copy = str(Path(folder) / 'copy')
        for suffix in ('', '-wal'):
            if Path(path + suffix).exists():
                shutil.copyfile(path + suffix, copy + suffix)
        LOG.info('%s: no process has it open; reading a copy of it', options.path)
        with contextlib.closing(Store(copy, shown=options.path)) as store:
            store.replay()
            clock = ManualClock(to_datetime(store.newest_moment()))
        service = Service(attrs.evolve(options, path=copy, clock=clock, only_looks=True))
        with contextlib.closing(service):
            yield service
