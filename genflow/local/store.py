"""The file: the only place that speaks SQL.

One connection writes; in a file a second one reads, so that a long list does not hold up a commit. Everything that
SQLite can say about the state of the file is turned into an error that names the file and says what to do.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from genflow.local.batch import EVENT_BITS, EVENT_MASK
from genflow.local.errors import CorruptFile, DiskFull, ForeignFile, NewerSchema, ReadOnlyFile, StoreError
from genflow.local.filelock import FileLock
from genflow.local.schema import APPLICATION_ID, STEPS, VERSION
from genflow.local.visibility import Query, conditions

MEMORY = ':memory:'
MAGIC = b'SQLite format 3\x00'

#: pages in the write-ahead log before it is copied into the file; larger is smoother, the log is at most this long.
CHECKPOINT_PAGES = 4_000
CACHE_KIBIBYTES = 65_536

#: columns of a batch that nearly every batch has, and those alone: events, and items that go and come.
MOVES = 3
WRITE_MOVES = 'INSERT INTO moves VALUES (?, ?, ?)'
WRITE_BATCH = 'INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)'

#: executions forgotten in one go when their retention ends.
SWEEP = 100

#: SQLite's words -> (our error, what to do).
TROUBLES: tuple[tuple[str, type[StoreError], str], ...] = (
    ('not a database', ForeignFile, 'It is no SQLite file: name another file.'),
    ('malformed', CorruptFile, 'Save what can be read with `genflow db export`, and import it into a new file.'),
    ('could not decode', CorruptFile, 'Save what can be read with `genflow db export`, and import it into a new file.'),
    ('disk is full', DiskFull, 'The last calls were not accepted; all before them are kept. Make room and go on.'),
    ('readonly', ReadOnlyFile, 'Give this user the right to write the file and its folder.'),
    ('unable to open', ReadOnlyFile, 'Does the folder exist, and may this user write it?'),
    ('locked', StoreError, 'Another program holds the file: close it.'),
)


@contextmanager
def clear_errors(path: str) -> Iterator[None]:
    """What SQLite or the system says, as errors of ours.

    Raises:
        StoreError: or the one below it that says more.
    """
    try:
        yield
    except sqlite3.Error as error:
        words = str(error).lower()
        kind, advice = next(
            ((kind, advice) for text, kind, advice in TROUBLES if text in words), (StoreError, 'Look at the disk.')
        )
        raise kind(f'{path}: {error}. {advice}') from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CorruptFile(f'{path}: a row cannot be read ({error}). Restore the file from a copy.') from error
    except PermissionError as error:
        raise ReadOnlyFile(f'{path}: {error.strerror}. Give this user the right to write it and its folder.') from error
    except OSError as error:
        raise StoreError(f'{path}: {error.strerror}') from error


def looks_like_sqlite(path: str) -> bool:
    """It does not exist, is empty, or begins as SQLite's files do."""
    file = Path(path)
    if not file.exists() or file.stat().st_size == 0:
        return True
    with file.open('rb') as opened:
        return opened.read(len(MAGIC)) == MAGIC


class Store:
    """An open file.

    Args:
        path: the file, made if need be; ``':memory:'`` for none.
        synchronous: SQLite's setting. ``FULL`` survives the loss of power; ``NORMAL`` survives the death of the
            process only.
    """

    def __init__(self, path: str, synchronous: str = 'FULL') -> None:
        if synchronous not in {'FULL', 'NORMAL', 'OFF', 'EXTRA'}:
            raise ValueError(f"synchronous={synchronous!r}: SQLite knows 'FULL', 'NORMAL', 'OFF' and 'EXTRA'")
        self.path = path
        self.in_memory = path == MEMORY
        self._lock: FileLock | None = None
        self._write_lock = threading.Lock()
        with clear_errors(path):
            if not self.in_memory:
                self._claim()
            try:
                self._writer = self._connect()
                self._prepare(synchronous)
            except BaseException:
                self._release()
                raise
            self._reader = self._writer if self.in_memory else self._connect()
        self._read_lock = self._write_lock if self.in_memory else threading.Lock()

    def _claim(self) -> None:
        if not looks_like_sqlite(self.path):
            raise ForeignFile(f'{self.path} is no SQLite file: name another file.')
        self._lock = FileLock(self.path)

    def _release(self) -> None:
        if self._lock:
            self._lock.release()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=5)

    def _prepare(self, synchronous: str) -> None:
        """Check whose file it is and how old, and bring it up to date."""
        execute = self._writer.execute
        self._check_owner()
        if not self.in_memory:
            if execute('PRAGMA journal_mode = WAL').fetchone()[0] != 'wal':
                raise StoreError(f'{self.path}: the file system does not allow a write-ahead log; use a local disk.')
            execute(f'PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}')
        execute(f'PRAGMA synchronous = {synchronous}')
        execute(f'PRAGMA cache_size = -{CACHE_KIBIBYTES}')
        self._check_length()
        self._migrate(execute('PRAGMA user_version').fetchone()[0])

    def _check_owner(self) -> None:
        """Refuse the file of another program, and that of a later genflow."""
        execute = self._writer.execute
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

    def _check_length(self) -> None:
        """Find a truncated file before the first read does; with a log beside it SQLite itself repairs the length."""
        log = Path(f'{self.path}-wal')
        if self.in_memory or (log.exists() and log.stat().st_size):
            return
        pages, size = (self._writer.execute(f'PRAGMA {name}').fetchone()[0] for name in ('page_count', 'page_size'))
        found = Path(self.path).stat().st_size
        if found < pages * size:
            raise CorruptFile(
                f'{self.path} is truncated: {found} bytes of {pages * size}. Restore it from a copy, or save what can '
                'be read with `genflow db export`.'
            )

    def _migrate(self, version: int) -> None:
        for number, step in enumerate(STEPS[version:], start=version + 1):
            self._writer.executescript(
                f'BEGIN IMMEDIATE;{step};PRAGMA application_id = {APPLICATION_ID};'
                f'PRAGMA user_version = {number};COMMIT;'
            )

    def close(self) -> None:
        """Close the file; nothing happens the second time."""
        with clear_errors(self.path):
            self._reader.close()
            self._writer.close()
        self._release()

    # Writing.

    def write(self, columns: tuple[str | None, ...]) -> None:
        """Write a batch as one transaction.

        Raises:
            StoreError: nothing of it was written.
        """
        statement = WRITE_BATCH
        if not any(columns[MOVES:]):
            statement, columns = WRITE_MOVES, columns[:MOVES]
        with clear_errors(self.path), self._write_lock:
            self._writer.execute(statement, columns)

    def reset(self) -> None:
        """Forget everything."""
        tables = ('domains', 'types', 'tags', 'events', 'items', 'executions')
        with clear_errors(self.path), self._write_lock:
            self._writer.executescript(
                'BEGIN IMMEDIATE;' + ''.join(f'DELETE FROM {table};' for table in tables) + 'COMMIT;'
            )

    def sweep(self, now: int) -> int | None:
        """Forget executions whose retention has ended, a portion at a time; say when the next one's does."""
        with clear_errors(self.path), self._write_lock:
            execute = self._writer.execute
            due = 'SELECT key FROM executions WHERE expires <= ? ORDER BY expires LIMIT ?'
            execute('BEGIN IMMEDIATE')
            try:
                keys = [key for (key,) in execute(due, (now, SWEEP))]
                for key in keys:
                    self._forget(key)
                execute('COMMIT')
            except BaseException:
                if self._writer.in_transaction:
                    execute('ROLLBACK')
                raise
            row = execute('SELECT min(expires) FROM executions WHERE expires IS NOT NULL').fetchone()
            return None if row[0] is None else int(row[0])

    def _forget(self, key: int) -> None:
        execute = self._writer.execute
        execute('DELETE FROM events WHERE ref BETWEEN ? AND ?', (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK))
        execute('DELETE FROM tags WHERE execution = ?', (key,))
        execute('DELETE FROM executions WHERE key = ?', (key,))

    # Reading.

    def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with clear_errors(self.path), self._read_lock, closing(self._reader.execute(sql, values)) as cursor:
            return cursor.fetchall()

    def domains(self) -> list[dict[str, Any]]:
        """All domains, as they were written."""
        with clear_errors(self.path):
            return [json.loads(data) for (data,) in self._rows('SELECT data FROM domains ORDER BY name')]

    def types(self) -> list[tuple[str, str, str, str, dict[str, Any]]]:
        """All types: domain, kind, name, version, data."""
        with clear_errors(self.path):
            rows = self._rows('SELECT domain, kind, name, version, data FROM types')
            return [(domain, kind, name, version, json.loads(data)) for domain, kind, name, version, data in rows]

    def open_executions(self) -> list[tuple[int, str, str]]:
        """Key, domain and workflow id of the open executions."""
        return self._rows('SELECT key, domain, workflow_id FROM executions WHERE status IS NULL ORDER BY key')

    def last_key(self) -> int:
        """The largest key in use."""
        return int(self._rows('SELECT coalesce(max(key), 0) FROM executions')[0][0])

    def items(self, key: int | None = None) -> list[tuple[int, dict[str, Any]]]:
        """Open items: ref and data; those of one execution, or all."""
        where, values = '', ()
        if key is not None:
            where, values = ' WHERE ref BETWEEN ? AND ?', (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK)
        with clear_errors(self.path):
            rows = self._rows(f'SELECT ref, data FROM items{where} ORDER BY ref', values)
            return [(ref, json.loads(data)) for ref, data in rows]

    def execution(self, key: int) -> dict[str, Any] | None:
        """The row of an execution."""
        return self._one('key = ?', (key,))

    def run(self, domain: str, workflow_id: str, run_id: str) -> dict[str, Any] | None:
        """The row of a run."""
        return self._one('domain = ? AND workflow_id = ? AND run_id = ?', (domain, workflow_id, run_id))

    def _one(self, where: str, values: tuple[Any, ...]) -> dict[str, Any] | None:
        rows = self._rows(f'SELECT {COLUMNS} FROM executions WHERE {where}', values)  # noqa: S608 - our own words
        return self._row(rows[0]) if rows else None

    def _row(self, values: tuple[Any, ...]) -> dict[str, Any]:
        row = dict(zip(COLUMNS.split(', '), values, strict=True))
        with clear_errors(self.path):
            for name in ('tags', 'about', 'outcome'):
                row[name] = json.loads(row[name]) if row[name] else None
        return row

    def events(self, key: int, first: int, last: int, *, newest_first: bool = False, limit: int = -1) -> list[str]:
        """Events of an execution as JSON, from id ``first`` to ``last``."""
        order = 'DESC' if newest_first else 'ASC'
        rows = self._rows(
            f'SELECT event FROM events WHERE ref BETWEEN ? AND ? ORDER BY ref {order} LIMIT ?',
            (key << EVENT_BITS | first, key << EVENT_BITS | last, limit),
        )
        return [event for (event,) in rows]

    def last_event(self, key: int) -> tuple[int, str]:
        """Id and text of the newest event of an execution."""
        sql = 'SELECT ref, event FROM events WHERE ref BETWEEN ? AND ? ORDER BY ref DESC LIMIT 1'
        rows = self._rows(sql, (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK))
        if not rows:
            raise CorruptFile(f'{self.path}: execution {key} has no events. Restore the file from a copy.')
        return rows[0][0] & EVENT_MASK, rows[0][1]

    def last_activity(self, key: int) -> str | None:
        """The newest event about an activity."""
        rows = self._rows(
            'SELECT event FROM events WHERE ref BETWEEN ? AND ? '
            "AND json_extract(event, '$.eventType') LIKE 'ActivityTask%' ORDER BY ref DESC LIMIT 1",
            (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK),
        )
        return rows[0][0] if rows else None

    def find(self, query: Query) -> list[dict[str, Any]]:
        """A page of executions."""
        where, values = conditions(query)
        order = 'ASC' if query.reverse else 'DESC'
        sql = (
            f'SELECT {COLUMNS} FROM executions WHERE {where} '  # noqa: S608 - our own words, the values are bound
            f'ORDER BY {query.moment} {order}, key {order} LIMIT ?'
        )
        return [self._row(row) for row in self._rows(sql, (*values, query.limit))]

    def count(self, query: Query) -> int:
        """How many executions there are."""
        where, values = conditions(query)
        return int(self._rows(f'SELECT count(*) FROM executions WHERE {where}', values)[0][0])  # noqa: S608

    def facts(self) -> dict[str, int]:
        """Sizes, for people."""
        counts = {name: self._rows(f'SELECT count(*) FROM {name}')[0][0] for name in ('domains', 'types', 'executions')}  # noqa: S608
        counts['open_executions'] = self._rows('SELECT count(*) FROM executions WHERE status IS NULL')[0][0]
        counts['events'] = self._rows('SELECT count(*) FROM events')[0][0]
        counts['bytes'] = 0 if self.in_memory else os.path.getsize(self.path)
        return counts


COLUMNS = (
    'key, domain, workflow_id, run_id, type_name, type_version, started, closed, status, expires, cancel_requested, '
    'tags, about, outcome'
)
