"""The file as such: whose it is, who may write it, how old it is.

One connection writes; a second one reads, so that a long list does not hold up a commit. In memory there is one.
"""

from __future__ import annotations

import atexit
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from genflow.local.errors import CorruptFile, ForeignFile, NewerSchema, StoreError
from genflow.local.store.filelock import FileLock
from genflow.local.store.schema import APPLICATION_ID, STEPS, VERSION
from genflow.local.store.sqlite_errors import clear_errors

MEMORY = ':memory:'
MAGIC = b'SQLite format 3\x00'

#: the first with UPDATE … FROM, with which executions are closed; JSON functions are older.
OLDEST_SQLITE = (3, 33, 0)

#: pages in the write-ahead log before it is copied into the file. A commit that makes the log longer takes twice as
#: long as one that writes over what was copied, so a short log is a quick one.
CHECKPOINT_PAGES = 1_000
CACHE_KIBIBYTES = 65_536

#: held while the empty database is made or copied.
COPYING = threading.Lock()


def looks_like_sqlite(path: str) -> bool:
    """It does not exist, is empty, or begins as SQLite's files do."""
    file = Path(path)
    if not file.exists() or file.stat().st_size == 0:
        return True
    with file.open('rb') as opened:
        return opened.read(len(MAGIC)) == MAGIC


def missing_bytes(path: str) -> int:
    """By how much the file is shorter than its own header says.

    With a write-ahead log beside it the header may be ahead of the file, and SQLite itself repairs that.
    """
    file, log = Path(path), Path(f'{path}-wal')
    if not file.exists() or (log.exists() and log.stat().st_size):
        return 0
    with file.open('rb') as opened:
        header = opened.read(100)
    page_size, pages = int.from_bytes(header[16:18], 'big'), int.from_bytes(header[28:32], 'big')
    page_size = 65_536 if page_size == 1 else page_size
    return max(0, pages * page_size - file.stat().st_size)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Take the steps from schema ``version`` to the one that is known here, each in a transaction of its own."""
    for number, step in enumerate(STEPS[version:], start=version + 1):
        connection.executescript(
            f'BEGIN IMMEDIATE;{step};PRAGMA application_id = {APPLICATION_ID};PRAGMA user_version = {number};COMMIT;'
        )


@cache
def empty_database() -> sqlite3.Connection:
    """What every service in memory begins as; to copy it takes a tenth of the time that making its tables takes."""
    connection = sqlite3.connect(MEMORY, isolation_level=None, check_same_thread=False)
    migrate(connection, 0)
    return connection


@atexit.register
def forget_empty_database() -> None:
    """Close it when the process ends; who needs it after that, in a handler of his own, makes it anew."""
    if empty_database.cache_info().currsize:
        empty_database().close()
        empty_database.cache_clear()


class File:
    """An open file.

    Args:
        path: the file, made if need be; ``':memory:'`` for none.
        synchronous: SQLite's setting. ``FULL`` survives the loss of power; ``NORMAL`` survives the death of the
            process only.
        damaged: open it although it is truncated, for what can still be read.
    """

    def __init__(self, path: str, synchronous: str = 'FULL', *, damaged: bool = False) -> None:
        if synchronous not in {'FULL', 'NORMAL', 'OFF', 'EXTRA'}:
            raise ValueError(f"synchronous={synchronous!r}: SQLite knows 'FULL', 'NORMAL', 'OFF' and 'EXTRA'")
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            oldest = '.'.join(map(str, OLDEST_SQLITE))
            raise StoreError(f'this Python has SQLite {sqlite3.sqlite_version}; genflow needs {oldest} or newer')
        self.path = path
        self.in_memory = path == MEMORY
        self._damaged = damaged
        self._lock: FileLock | None = None
        self._connections: list[sqlite3.Connection] = []
        self.write_lock = threading.Lock()
        with clear_errors(path):
            if not self.in_memory:
                self._claim()
            try:
                self.writer = self._connect()
                self._prepare(synchronous)
                self._reader = self.writer if self.in_memory else self._connect()
            except BaseException:
                self._close_connections()
                self._release()
                raise
        self._read_lock = self.write_lock if self.in_memory else threading.Lock()

    def _claim(self) -> None:
        if not looks_like_sqlite(self.path):
            raise ForeignFile(f'{self.path} is no SQLite file: name another file.')
        self._lock = FileLock(self.path)
        missing = missing_bytes(self.path)
        if missing and not self._damaged:
            self._release()
            raise CorruptFile(
                f'{self.path} is truncated: {missing} bytes are missing. Restore it from a copy, or save what can be '
                'read with `genflow db export`.'
            )

    def _close_connections(self) -> None:
        for connection in reversed(self._connections):
            connection.close()

    def _release(self) -> None:
        if self._lock:
            self._lock.release()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5)
        self._connections.append(connection)
        if self._damaged:
            connection.execute('PRAGMA writable_schema = ON')  # which lets SQLite open a file that is too short
        return connection

    def _prepare(self, synchronous: str) -> None:
        """Check whose file it is and how old, and bring it up to date."""
        execute = self.writer.execute
        if self.in_memory:
            with COPYING:
                empty_database().backup(self.writer)
        self._check_owner()
        if not self.in_memory:
            if execute('PRAGMA journal_mode = WAL').fetchone()[0] != 'wal':
                raise StoreError(f'{self.path}: the file system does not allow a write-ahead log; use a local disk.')
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

    def close(self) -> None:
        """Close the file; nothing happens the second time."""
        with clear_errors(self.path):
            self._close_connections()
        self._release()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.writer.execute('BEGIN IMMEDIATE')
        try:
            yield
            self.writer.execute('COMMIT')
        except BaseException:
            if self.writer.in_transaction:
                self.writer.execute('ROLLBACK')
            raise

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with clear_errors(self.path), self._read_lock, closing(self._reader.execute(sql, values)) as cursor:
            return cursor.fetchall()
