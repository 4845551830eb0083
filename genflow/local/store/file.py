"""An open file: checks its owner and its version, and gives out its connections.

One connection writes; a second one reads, so that a long list does not hold up a commit. In memory there is one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from genflow.local import forks
from genflow.local.errors import CorruptFile, ForeignFile, NewerSchema, ServiceClosed, ServiceForked, StoreError
from genflow.local.store.file_systems import check_file_system
from genflow.local.store.filelock import FileLock
from genflow.local.store.schema import APPLICATION_ID, STEPS, VERSION
from genflow.local.store.sqlite_errors import ClearErrors

__all__ = ['MEMORY', 'File', 'close_everything', 'copy_live', 'log_of', 'missing_bytes']

MEMORY = ':memory:'
MAGIC = b'SQLite format 3\x00'

OLDEST_SQLITE = (3, 33, 0)
"""The first with UPDATE … FROM, with which executions are closed; JSON functions are older."""

CHECKPOINT_PAGES = 128
"""Pages in the write-ahead log before it is copied into the file. A commit that makes the log longer takes twice as
long as one that writes over what was copied, so all but the first of these are quick. Copying so often costs little:
most commits write the same few pages of the journal."""

CACHE_KIBIBYTES = 65_536


def check_header(descriptor: int, path: str) -> None:
    """Checks that the file is empty, or begins as SQLite's files do.

    Raises:
        ForeignFile: It is neither.
    """
    os.lseek(descriptor, 0, os.SEEK_SET)
    begin = os.read(descriptor, len(MAGIC))
    if begin and begin != MAGIC:
        raise ForeignFile(f'{path} is not an SQLite file: name another file.')


def check_kind(path: str, shown: str) -> None:
    """Checks that the path is an ordinary file, because reading a pipe or a device could wait for ever.

    Raises:
        ForeignFile: It is a device, a pipe or a socket.
    """
    with contextlib.suppress(OSError):  # whoever opens it says what is wrong
        mode = os.stat(path).st_mode  # noqa: PTH116 - as the other checks of files
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise ForeignFile(f'{shown} is a device, a pipe or a socket: name another file.')


def log_of(path: str) -> Path:
    """The path of the write-ahead log, which SQLite keeps beside the file itself, not beside a link to it."""
    return Path(f'{os.path.realpath(path)}-wal')


def missing_bytes(descriptor: int, path: str) -> int:
    """The number of bytes by which the file is shorter than its header says.

    With a write-ahead log beside it the header may be ahead of the file, and SQLite itself repairs that.
    """
    log = log_of(path)
    os.lseek(descriptor, 0, os.SEEK_SET)
    header = os.read(descriptor, 100)
    if not header or (log.exists() and log.stat().st_size):
        return 0
    page_size, pages = int.from_bytes(header[16:18], 'big'), int.from_bytes(header[28:32], 'big')
    page_size = 65_536 if page_size == 1 else page_size
    return max(0, pages * page_size - os.fstat(descriptor).st_size)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Migrates the schema from ``version`` to the newest one, each step in a transaction of its own."""
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(
            f'BEGIN IMMEDIATE;{step};PRAGMA application_id = {APPLICATION_ID};PRAGMA user_version = {number};COMMIT;'
        )


@cache
def empty_database() -> sqlite3.Connection:
    """An empty database in memory, to be copied: that takes a tenth of the time of creating its tables."""
    connection = sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
    migrate(connection, 0)
    return connection


def copy_live(path: str, copy: str) -> None:
    """Copies a file as it is at one moment, while other processes may write it.

    Raises:
        StoreError: The file cannot be read, or the copy cannot be written.
    """
    check_kind(path, path)
    with forks.opening(), ClearErrors(path), closing(sqlite3.connect(_uri(path, 'ro'), uri=True)) as source:
        owner = source.execute('PRAGMA application_id').fetchone()[0]
        if owner != APPLICATION_ID:
            raise ForeignFile(f'{path} is not a genflow file: name another file.')
        with ClearErrors(copy), closing(sqlite3.connect(_uri(copy, 'rw'), uri=True)) as target:
            source.backup(target)


def _uri(path: str, mode: str) -> str:
    return f'{Path(path).resolve().as_uri()}?mode={mode}'


class Copying:
    """Keeps the empty database safe across a fork: the child makes its own."""

    def pause(self) -> None:
        """Who copies it holds the lock of :func:`genflow.local.forks.opening`, and so has ended."""

    def resume(self) -> None:
        """It is as it was."""

    def orphan(self) -> None:
        """The parent's connection is not used, and not closed either."""
        if empty_database.cache_info().currsize:
            forks.immortalize([empty_database()])
            empty_database.cache_clear()
        forks.register(self)


COPYING = Copying()
forks.register(COPYING)

OPEN: weakref.WeakSet[File] = weakref.WeakSet()
"""The files that are open in this process."""


@atexit.register
def close_everything() -> None:
    """Close what is still open when the process ends, before threads that read it find it gone.

    Who needs the empty database after that, in a handler of his own, makes it anew.
    """
    with forks.opening():
        files = list(OPEN)
        if empty_database.cache_info().currsize:
            empty_database().close()
            empty_database.cache_clear()
    for file in files:
        with contextlib.suppress(StoreError):
            file.close()


class File:
    """An open file.

    Attributes:
        clear_errors: A context that turns errors of SQLite or the system about this file into :class:`StoreError`.

    Args:
        path: The file, which is created if it does not exist; ``':memory:'`` for none.
        synchronous: SQLite's setting. With ``FULL`` a commit survives a power loss; with ``NORMAL`` it survives only
            the end of the process.
        damaged: Whether to open the file although it is truncated, to read what is left.
        shown: The name of the file in errors, if it is a copy of the user's file.
        notice: The text about this process in the lock file, for other processes.
        immutable: Whether nobody writes the file while it is open. No lock is taken and no file is created beside it,
            so that this process need not be able to write there. A write-ahead log is not read.
    """

    def __init__(
        self,
        path: str,
        synchronous: str = 'FULL',
        *,
        damaged: bool = False,
        shown: str | None = None,
        notice: str = '',
        immutable: bool = False,
    ) -> None:
        if synchronous not in {'FULL', 'NORMAL', 'OFF', 'EXTRA'}:
            raise ValueError(f"synchronous={synchronous!r}: SQLite knows 'FULL', 'NORMAL', 'OFF' and 'EXTRA'")
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            oldest = '.'.join(map(str, OLDEST_SQLITE))
            raise StoreError(f'this Python has SQLite {sqlite3.sqlite_version}; genflow needs {oldest} or newer')
        self.path = shown or path
        self.clear_errors = ClearErrors(self.path, salvaging=damaged)
        self.in_memory = path == MEMORY
        self._damaged = damaged
        self.immutable = immutable
        self._notice = notice
        self._lock: FileLock | None = None
        self._connections: list[sqlite3.Connection] = []
        self._refusal: StoreError | None = None
        self._paused: list[threading.Lock] = []
        self._name = path
        self._pid = os.getpid()
        self.write_lock = threading.Lock()
        self._read_lock = self.write_lock if self.in_memory else threading.Lock()
        with forks.opening(), self.clear_errors:
            if not self.in_memory:
                check_kind(path, self.path)
            try:
                self._open(synchronous)
            except BaseException:
                self._close_connections()
                raise
            forks.register(self)
            OPEN.add(self)

    def _open(self, synchronous: str) -> None:
        if self.in_memory:
            return  # until something is to be written or read
        if not self.immutable:
            self._claim()
        self.writer = self._connect()
        self._prepare(synchronous)
        self._reader = self._connect()
        if self._lock:
            self._lock.check()

    def _be_open(self) -> None:
        """Make the database in memory, if it is not there yet; many a test needs none. Not under one of the locks."""
        if self._connections or not self.in_memory:
            return
        with forks.opening(), self.write_lock:
            self.check()
            if not self._connections:
                self._reader = self.writer = self._connect()
                empty_database().backup(self.writer)  # all of it is memory, so there is no cache to give a size

    def _claim(self) -> None:
        check_file_system(self._name)
        self._lock = lock = FileLock(self._name, self._notice)
        self._name = lock.path
        check_header(lock.descriptor, self.path)
        missing = missing_bytes(lock.descriptor, self._name)
        if missing and not self._damaged:
            raise CorruptFile(
                f'{self.path} is truncated: {missing} bytes are missing. Restore it from a copy, or save what can be '
                'read with `genflow db export`.'
            )

    def _close_connections(self) -> None:
        """Close SQLite's connections first, and give the right to the file away then."""
        connections, self._connections = self._connections, []
        try:
            for connection in reversed(connections):
                connection.close()
        finally:
            if self._lock:
                self._lock.release()

    def _connect(self) -> sqlite3.Connection:
        name = f'{_uri(self._name, "ro")}&immutable=1' if self.immutable else self._name
        connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=5, uri=self.immutable)
        self._connections.append(connection)
        if self._damaged:
            connection.execute('PRAGMA writable_schema = ON')  # which lets SQLite open a file that is too short
        return connection

    def _prepare(self, synchronous: str) -> None:
        """Check whose file it is and how old, and bring it up to date."""
        execute = self.writer.execute
        self._check_owner()
        if self.immutable:
            return
        if execute('PRAGMA journal_mode = WAL').fetchone()[0] != 'wal':
            raise StoreError(f'{self.path}: the file system does not support a write-ahead log; use a local disk.')
        execute(f'PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}')
        execute(f'PRAGMA synchronous = {synchronous}')
        execute(f'PRAGMA cache_size = -{CACHE_KIBIBYTES}')
        migrate(self.writer, execute('PRAGMA user_version').fetchone()[0])

    def _check_owner(self) -> None:
        """Refuse the file of another program, and that of a later genflow."""
        execute = self.writer.execute
        owner = execute('PRAGMA application_id').fetchone()[0]
        version = execute('PRAGMA user_version').fetchone()[0]
        tables = execute('SELECT count(*) FROM sqlite_master').fetchone()[0]
        if owner != APPLICATION_ID and (owner or tables):
            raise ForeignFile(f'{self.path} is an SQLite file of another program: name another file.')
        if version > VERSION:
            raise NewerSchema(
                f'{self.path} was written by a later genflow (schema {version}; this one knows up to {VERSION}): '
                'upgrade genflow.'
            )

    def check(self) -> None:
        """Checks that calls can be made.

        Raises:
            ServiceForked: This process is a fork of the one that opened the file.
            ServiceClosed: The file was closed.
        """
        if self._refusal is not None:
            raise type(self._refusal)(str(self._refusal))

    def announce(self, notice: str) -> None:
        """Writes a text about this process into the lock file, for other processes."""
        if self._lock is not None:
            self._lock.announce(notice)

    @property
    def previous_notice(self) -> str:
        """The text in the lock file about the owner before this process."""
        return '' if self._lock is None else self._lock.previous

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that opened the file."""
        return isinstance(self._refusal, ServiceForked)

    def close(self) -> None:
        """Closes the file when nobody reads or writes; does nothing the second time, or in a forked child."""
        if self.forked:
            return
        with self.clear_errors, self.write_lock, contextlib.ExitStack() as stack:
            if self._read_lock is not self.write_lock:
                stack.enter_context(self._read_lock)
            self._refusal = ServiceClosed(f'{self.path}: the service is closed')
            OPEN.discard(self)
            self._close_connections()

    # Across a fork.

    def pause(self) -> None:
        """Wait until no call is inside SQLite."""
        self._paused = forks.acquire_all(dict.fromkeys((self.write_lock, self._read_lock)))

    def resume(self) -> None:
        """In the parent: go on."""
        paused, self._paused = self._paused, []
        for lock in paused:
            lock.release()

    def orphan(self) -> None:
        """In the child of a fork: never uses SQLite's connections again, and gives up the lock."""
        self._refusal = ServiceForked(
            f'{self.path}: process {self._pid} opened this service, and a process forked from it cannot use it. '
            'Create a LocalSWF in the new process (multiprocessing: the start method "spawn" imports the module '
            'anew), or have one process share the file: `genflow server --db FILE`.'
        )
        forks.immortalize(self._connections)
        if self._lock:
            self._lock.abandon()

    # Reading and writing.

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, for one caller at a time."""
        with self.clear_errors:
            self._be_open()
            with self.write_lock:
                self._check_open()
                yield self.writer

    def _check_open(self) -> None:
        """Under one of the locks: a closed connection is not used, nor a file that is not there any more."""
        if self._refusal is not None:
            self.check()
        if self._lock is not None:
            self._lock.check()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: commits at the end of the block, or rolls back if it raises."""
        self.writer.execute('BEGIN IMMEDIATE')
        try:
            yield
            self.writer.execute('COMMIT')
        except BaseException:
            if self.writer.in_transaction:
                self.writer.execute('ROLLBACK')
            raise

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows that a query finds."""
        with self.clear_errors:
            self._be_open()
            with self._read_lock:
                self._check_open()
                with closing(self._reader.execute(sql, values)) as cursor:
                    return cursor.fetchall()
