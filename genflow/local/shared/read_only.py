"""Only to look at a file (``mode='r'``): nothing is written, and nobody is kept from leading.

Theory of operation. Where somebody leads, the leader is asked. Otherwise the file itself is read, if its last user has
closed it in order: SQLite takes it as immutable, and so needs neither a lock nor the right to write anything. Another
process may begin to write it all the same; so its state is compared after each call, and where it has changed, the call
is repeated on what there is then. After a crash the last changes stand in the write-ahead log or in the journal, and
get into the tables only by writing; then a copy of the file and of its log is read, as they are at that moment.

The clock stands at the file's last change, so nothing becomes due by being looked at. While a file is opened, its lock
file, if there is one, is held, so that nobody writes meanwhile.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, Protocol

from attrs import evolve

from genflow.local.clock import ManualClock, to_datetime
from genflow.local.engine.group_commit import Statistics
from genflow.local.engine.lambdas import Run
from genflow.local.engine.locked_state import Options
from genflow.local.engine.served import Poll
from genflow.local.engine.service import Service
from genflow.local.errors import FileInUse, ForeignFile, ReadOnly, ServiceClosed, StoreError
from genflow.local.shared.link import ConnectionLost, Link
from genflow.local.shared.names import new_name
from genflow.local.shared.notice import Notice, RequiredOptions, read_notice
from genflow.local.shared.numbers import READS
from genflow.local.store import Store
from genflow.local.store.filelock import read_notice as read_lock_file
from genflow.local.store.filelock import shared_lock
from genflow.local.store.sqlite_errors import ClearErrors

__all__ = ['ReadOnlyService']

LOG = logging.getLogger(__name__)


class Changed(Exception):
    """The file has changed since it was opened."""


class Source(Protocol):
    """Where answers come from."""

    def perform(self, operation: str, request: dict[str, Any], *, right: bool) -> dict[str, Any] | None:
        """Carry out an operation that only reads.

        Raises:
            Changed: Open the file anew.
        """

    def next_deadline(self) -> datetime | None:
        """When the service would next do something by itself, if that is known."""

    def close(self) -> None:
        """Let go of it."""


class LeaderSource:
    """The process that leads the file."""

    def __init__(self, notice: Notice, path: str) -> None:
        self._link = Link(notice, new_name())
        self._path = path

    def perform(self, operation: str, request: dict[str, Any], *, right: bool) -> dict[str, Any] | None:
        try:
            body = self._link.perform(operation, request, {}).body
        except PermissionError:
            raise self._link.notice.of_another_user(self._path) from None
        except ConnectionLost as error:
            raise Changed from error
        return json.loads(body) if body else None

    def next_deadline(self) -> datetime | None:
        return None

    def close(self) -> None:
        self._link.close()


class FileSource:
    """The file itself, or a copy of it.

    Args:
        options: How it would be opened to be written.
        path: Of the file, without symbolic links.
    """

    def __init__(self, options: Options, path: str) -> None:
        self._path = path
        self._closing = contextlib.ExitStack()
        self._state = state_of(path)
        try:
            if is_settled(options, path):
                self.is_copy = False
                self._service = self._opened(options, path, immutable=True)
            else:
                self.is_copy = True
                self._service = self._opened(options, self._copied(options.path))
        except BaseException:
            self._closing.close()
            raise

    def _copied(self, shown: str) -> str:
        folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix='genflow-'))
        copy = str(Path(folder) / 'copy')
        for suffix in ('', '-wal'):
            if Path(self._path + suffix).exists():
                shutil.copyfile(self._path + suffix, copy + suffix)
        with contextlib.closing(Store(copy, shown=shown)) as store:
            store.replay()
        LOG.warning('%s was not closed by its last user: a copy of it and of its write-ahead log is read.', shown)
        return copy

    def _opened(self, options: Options, path: str, *, immutable: bool = False) -> Service:
        with contextlib.closing(Store(path, shown=options.path, immutable=immutable)) as store:
            clock = ManualClock(to_datetime(store.newest_moment()))
        looks = evolve(options, path=path, clock=clock, only_looks=True, immutable=immutable, shown=options.path)
        return self._closing.enter_context(contextlib.closing(Service(looks)))

    def perform(self, operation: str, request: dict[str, Any], *, right: bool) -> dict[str, Any] | None:
        try:
            answer = self._service.perform(operation, request, right=right)
        except StoreError as error:
            self._compare(error)
            raise
        self._compare(None)
        return answer

    def _compare(self, error: StoreError | None) -> None:
        """See that nobody has written the file meanwhile; a copy stays what it was."""
        if not self.is_copy and state_of(self._path) != self._state:
            raise Changed from error

    def next_deadline(self) -> datetime | None:
        return self._service.next_deadline()

    def close(self) -> None:
        self._closing.close()


def check_readable(path: str) -> None:
    """See that a file is there and may be read.

    Raises:
        ForeignFile: It is not there.
        StoreError: It may not be read.
    """
    try:
        if not Path(path).exists():
            raise ForeignFile(f'{path} does not exist.')
        may_read = os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)
    except PermissionError:  # of a folder above it
        may_read = False
    if not may_read:
        raise StoreError(f'{path} may not be read by this user. Allow it to read the file and to enter its folder.')


def state_of(path: str) -> list[tuple[int, int, int]]:
    """What changes when a file or its write-ahead log is written."""
    found = []
    for name in (path, f'{path}-wal'):
        with contextlib.suppress(FileNotFoundError):
            status = os.stat(name)  # noqa: PTH116 - before every call, as in `identity_of`
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return found


def is_settled(options: Options, path: str) -> bool:
    """Whether the tables have everything, in the schema that is known here."""
    log = Path(f'{path}-wal')
    if log.exists() and log.stat().st_size:
        return False
    with contextlib.closing(Store(path, shown=options.path, immutable=True)) as store:
        return store.is_settled


class ReadOnlyService:
    """A service that changes nothing.

    Args:
        options: How the file would be opened to be written.

    Raises:
        FileInUse: Somebody has the file who does not share it.
        StoreError: It is not there, or cannot be read.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._path = options.path
        self._changing = threading.Lock()
        self._closed = False
        self._source: Source | None = None
        self._opened()

    def _opened(self) -> Source:
        """Where answers come from now."""
        with self._changing:
            if self._closed:
                raise ServiceClosed(f'{self._path}: the service is closed')
            if self._source is None:
                check_readable(self._path)
                with ClearErrors(self._path):
                    self._source = source_of(self._options)
            return self._source

    def _forget(self, source: Source) -> None:
        """It has changed: whoever asks next opens the file anew."""
        with self._changing:
            if self._source is source:
                self._source = None
                source.close()

    def perform(self, operation: str, request: dict[str, Any], *, right: bool = False) -> dict[str, Any] | None:
        """Carry out an operation that only reads.

        Raises:
            ReadOnly: It does more.
            FileInUse: Somebody has begun to use the file who does not share it.
        """
        if not operation.startswith(READS):
            self._refuse(operation)
        while True:
            source = self._opened()
            try:
                return source.perform(operation, request, right=right)
            except Changed:
                self._forget(source)

    def _refuse(self, what: str) -> NoReturn:
        raise ReadOnly(f"{self._path} was opened read-only (mode='r'), and {what} would change it.")

    def hold(self, operation: str, request: dict[str, Any], wake: Callable[[], None]) -> Poll:
        """Refused, because a poll takes a task."""
        self._refuse(operation)

    def register_lambda(self, name: str, function: Callable[..., Any], run: Run) -> None:
        """Refused."""
        self._refuse('register_lambda')

    def fork(
        self, domain: str, workflow_id: str, run_id: str, new_run_id: str, events: Sequence[Mapping[str, Any]]
    ) -> None:
        """Refused."""
        self._refuse('fork_run')

    def reset(self) -> None:
        """Refused."""
        self._refuse('reset')

    def next_deadline(self) -> datetime | None:
        """When the service would next do something by itself; ``None`` where another process leads."""
        return self._opened().next_deadline()

    @property
    def statistics(self) -> Statistics:
        """Nothing is counted."""
        return Statistics()

    @property
    def long_poll(self) -> float:
        """No poll is held."""
        return 0.0

    def close(self) -> None:
        """Let go of the leader, or of the file; nothing happens the second time."""
        with self._changing:
            self._closed = True
            source, self._source = self._source, None
        if source is not None:
            source.close()


def source_of(options: Options) -> Source:
    """Whoever leads the file, or else the file.

    Raises:
        FileInUse: Somebody has the file who does not share it.
        StoreError: It cannot be read.
    """
    path = os.path.realpath(options.path)
    with shared_lock(f'{path}-lock') as is_free:
        if is_free:
            return FileSource(options, path)
    owner, text = read_lock_file(f'{path}-lock')
    notice = read_notice(text)
    if notice is None or notice.state != 'leading':
        notice = notice or Notice(state='alone', process=owner)
        raise FileInUse(f'{options.path} is in use by process {owner}, which does not share it: {notice.why}', text)
    notice.check(options.path, RequiredOptions())
    return LeaderSource(notice, options.path)
