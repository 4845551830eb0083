"""The tables of a file: written in batches, read as rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, NoReturn

from genflow.local.clock import FIRST_MOMENT, LAST_MOMENT
from genflow.local.errors import CorruptFile, DamagedRow, StoreError
from genflow.local.state.answers import Caller
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK
from genflow.local.store.file import File, log_of
from genflow.local.store.schema import VERSION
from genflow.local.store.visibility import Query, conditions
from genflow.steady_time import monotonic

__all__ = ['LARGEST_KEY', 'Answered', 'Store']

LAST_REF = (1 << 63) - 1

LARGEST_KEY = 1 << 42
"""No execution has a larger key: its events could not be numbered."""

MOMENTS = (FIRST_MOMENT, LAST_MOMENT)

Answered = Sequence[tuple[Caller, str]]
"""The answers to numbered calls, each with who made it."""

MOVES = 3
"""Columns of a batch that nearly every batch has, and those alone: events, and items that go and come."""

ROWS = 250
"""Events that are written with one statement: SQLite lets one have 999 values at least."""

ADD_EVENT = 'INSERT INTO events VALUES (?, ?)'
ADD_EVENTS = f'{ADD_EVENT}{", (?, ?)" * (ROWS - 1)}'
FOLD_MOVES = 'INSERT INTO moves VALUES (?, ?, ?)'
FOLD_BATCH = 'INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?, ?)'
APPEND = 'INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'
FOLDED = 'INSERT OR REPLACE INTO journal (slot, number) VALUES (0, ?)'
UNFOLDED = 'FROM journal WHERE slot > 0 AND number > coalesce((SELECT number FROM journal WHERE slot = 0), 0)'
FOLD_JOURNAL = (
    'INSERT INTO batches SELECT events, dropped, items, started, closed, canceled, domains, types '
    f'{UNFOLDED} ORDER BY number'
)

NEWEST_EVENT = """
    SELECT max(moment) FROM (
        SELECT CAST(
            round(CASE WHEN json_valid(event) THEN json_extract(event, '$.eventTimestamp') END * 1000) AS INTEGER
        ) AS moment
        FROM executions, events WHERE status IS NULL AND events.ref = (
            SELECT max(ref) FROM events WHERE ref BETWEEN executions.key << 20 AND (executions.key << 20 | 1048575)
        )
    )
    WHERE moment BETWEEN ? AND ?
"""
"""The time of the newest event of any open execution; one that cannot be read says nothing."""

EVENT_IS_WHOLE = (
    "CASE WHEN json_valid(event) THEN json_extract(event, '$.eventId') IS (ref & 1048575) "
    "AND json_type(event, '$.eventType') IS 'text' AND json_type(event, '$.eventTimestamp') IN ('real', 'integer') "
    "AND instr(event, 'EventAttributes\":{') ELSE 0 END"
)
"""Whether the row of an event holds what every event has."""

SWEEP = 500
"""Executions forgotten in one go when their retention ends, at most."""

SWEEP_SECONDS = 0.005
"""After which no more are forgotten in the same go: those with long histories take longer."""


def check_numbers(row: dict[str, Any]) -> None:
    """Checks the key and the moments in the row of an execution.

    Raises:
        ValueError: One of them is out of range, so that the row is damaged.
    """
    moments = [row[name] for name in ('started', 'closed', 'expires') if row[name] is not None]
    for number, (least, most) in ((row['key'], (1, LARGEST_KEY)), *((moment, MOMENTS) for moment in moments)):
        if not isinstance(number, int) or not least <= number <= most:
            raise ValueError(f'{number!r:.100} found, a number between {least} and {most} expected')


class Store(File):
    """The tables of an open file.

    Attributes:
        appended: How many rows of the journal have not been folded.
        last: The number of the newest of them.
    """

    appended = 0
    last = 0

    # Writing.

    def append(self, number: int, columns: tuple[str | None, ...], answers: Answered = ()) -> None:
        """Commits a batch to the journal, with the answers to its numbered calls.

        Raises:
            StoreError: The write failed, and nothing of the batch is in the file.
        """
        with self.clear_errors, self.write_lock:  # the same as `writing`, which costs as much as SQLite's own work
            self._check_open()
            row = (self.appended + 1, *columns, number)
            if answers:
                with self.transaction():
                    self.writer.execute(APPEND, row)
                    self._keep(answers)
            else:
                self.writer.execute(APPEND, row)
        self.appended, self.last = self.appended + 1, number

    def _keep(self, answers: Answered) -> None:
        """Keep answers, and forget those that nobody waits for."""
        execute = self.writer.execute
        for caller, text in answers:
            execute('INSERT OR REPLACE INTO answers VALUES (?, ?, ?)', (caller.process, caller.number, text))
        for process, first in {caller.process: caller.waits_from for caller, _ in answers}.items():
            execute('DELETE FROM answers WHERE process = ? AND number < ?', (process, first))

    def answers(self) -> list[tuple[str, int, str]]:
        """The answers to numbered calls: process, number and text."""
        return self.rows('SELECT process, number, answer FROM answers')

    def forget_answers(self, process: str) -> None:
        """Deletes the answers for a process, which repeats no calls any more."""
        with self.writing() as writer:
            writer.execute('DELETE FROM answers WHERE process = ?', (process,))

    def fold(
        self, columns: tuple[str | None, ...], answers: Answered = (), events: Sequence[tuple[int, str]] = ()
    ) -> None:
        """Writes the changes since the last fold into the tables, and marks the journal's rows as folded.

        Args:
            columns: The changes.
            answers: The answers to numbered calls of other processes.
            events: Further events as JSON, each with its ref.

        Raises:
            StoreError: The write failed, and nothing of it is in the file.
        """
        statement = FOLD_BATCH
        if not any(columns[MOVES:]):
            statement, columns = FOLD_MOVES, columns[:MOVES]
        with self.writing(), self.transaction():
            if any(columns):
                self.writer.execute(statement, columns)
            self._add_events(sorted(events))  # behind the executions, which are easier to save where a file was cut off
            if not self.in_memory:
                if self.appended:
                    self.writer.execute(FOLDED, (self.last,))
                self._keep(answers)
        self.appended = 0

    def _add_events(self, events: Sequence[tuple[int, str]]) -> None:
        """Write events, many with one statement: half of what it costs to have SQLite read them out of JSON."""
        whole = len(events) - len(events) % ROWS
        for first in range(0, whole, ROWS):
            self.writer.execute(ADD_EVENTS, [*chain.from_iterable(events[first : first + ROWS])])
        self.writer.executemany(ADD_EVENT, events[whole:])

    def replay(self) -> None:
        """Folds the rest of the journal; call it before anything is read from a file that was just opened."""
        with self.writing():
            execute = self.writer.execute
            unfolded = execute(f'SELECT count(*) {UNFOLDED}').fetchone()[0]
            if unfolded or (not self.immutable and execute('SELECT count(*) FROM journal').fetchone()[0]):
                with self.transaction():
                    execute(FOLD_JOURNAL)
                    execute('DELETE FROM journal')  # batches are numbered from 1 again
        self.appended = 0

    @property
    def is_settled(self) -> bool:
        """Whether the tables have everything that was committed, in the newest schema."""
        if self.rows('PRAGMA user_version') != [(VERSION,)]:
            return False
        return not self.rows(f'SELECT count(*) {UNFOLDED}')[0][0]

    def vacuum(self) -> None:
        """Returns the space of deleted rows to the file system."""
        with self.writing():
            self.writer.execute('VACUUM')
            self.writer.execute('PRAGMA wal_checkpoint(TRUNCATE)')

    def reset(self) -> None:
        """Deletes everything."""
        tables = ('domains', 'types', 'tags', 'events', 'items', 'executions', 'journal', 'answers')
        with self.writing():
            self.writer.executescript(
                'BEGIN IMMEDIATE;' + ''.join(f'DELETE FROM {table};' for table in tables) + 'COMMIT;'  # noqa: S608 - our own words
            )
        self.appended = 0

    def sweep(self, now: int) -> int | None:
        """Deletes up to :data:`SWEEP` executions past their retention; returns :meth:`next_expiry`."""
        due = 'SELECT key FROM executions WHERE expires <= ? ORDER BY expires LIMIT ?'
        with self.writing():
            execute = self.writer.execute
            with self.transaction():
                ends = monotonic() + SWEEP_SECONDS
                for (key,) in execute(due, (now, SWEEP)).fetchall():
                    self._forget(key)
                    if monotonic() >= ends:
                        break
        return self.next_expiry()

    def _forget(self, key: int) -> None:
        execute = self.writer.execute
        execute('DELETE FROM events WHERE ref BETWEEN ? AND ?', (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK))
        execute('DELETE FROM tags WHERE execution = ?', (key,))
        execute('DELETE FROM executions WHERE key = ?', (key,))

    # Reading.

    def next_expiry(self) -> int | None:
        """The earliest end of the retention of an execution, in milliseconds since 1970; ``None`` if there is none."""
        found: int | None = self.rows('SELECT min(expires) FROM executions WHERE expires BETWEEN ? AND ?', MOMENTS)[0][
            0
        ]
        return found

    def newest_moment(self) -> int:
        """The time of the newest start, event or close, in milliseconds since 1970; 0 if there are none."""
        newest = 'SELECT started FROM executions WHERE started BETWEEN ? AND ? ORDER BY key DESC LIMIT 1'
        moments = [self.rows(newest, MOMENTS), self.rows(NEWEST_EVENT, MOMENTS)]
        for (domain,) in self.rows('SELECT name FROM domains'):
            sql = (
                'SELECT max(closed) FROM executions WHERE domain = ? AND status IS NOT NULL AND closed BETWEEN ? AND ?'
            )
            moments.append(self.rows(sql, (domain, *MOMENTS)))
        return max((rows[0][0] for rows in moments if rows and rows[0][0] is not None), default=0)

    def domain_texts(self) -> list[tuple[str, str]]:
        """All domains: name and JSON."""
        return self.rows('SELECT name, data FROM domains ORDER BY name')

    def type_texts(self) -> list[tuple[str, str, str, str, str]]:
        """All types: domain, kind, name, version and JSON."""
        return self.rows('SELECT domain, kind, name, version, data FROM types')

    def domains(self) -> list[dict[str, Any]]:
        """All domains, as dicts."""
        with self.clear_errors:
            return [json.loads(data) for (data,) in self.rows('SELECT data FROM domains ORDER BY name')]

    def types(self) -> list[tuple[str, str, str, str, dict[str, Any]]]:
        """All types: domain, kind, name, version, data."""
        with self.clear_errors:
            rows = self.rows('SELECT domain, kind, name, version, data FROM types')
            return [(domain, kind, name, version, json.loads(data)) for domain, kind, name, version, data in rows]

    def open_executions(self) -> list[tuple[int, str, str]]:
        """Key, domain and workflow id of the open executions."""
        return self.rows('SELECT key, domain, workflow_id FROM executions WHERE status IS NULL ORDER BY key')

    def execution_keys(self, now: int = FIRST_MOMENT) -> list[int]:
        """The keys of all executions that are not past their retention at that moment."""
        sql = 'SELECT key FROM executions WHERE expires IS NULL OR expires > ? ORDER BY key'
        return [key for (key,) in self.rows(sql, (now,))]

    def last_key(self) -> int:
        """The largest key in use, including the keys in the remains of damaged rows."""
        last_ref = LARGEST_KEY << EVENT_BITS
        found = [self.rows('SELECT coalesce(max(key), 0) FROM executions WHERE key <= ?', (LARGEST_KEY,))[0][0]]
        for table in ('events', 'items'):
            sql = f'SELECT coalesce(max(ref), 0) FROM {table} WHERE ref <= ?'  # noqa: S608 - our own words
            found.append(self.rows(sql, (last_ref,))[0][0] >> EVENT_BITS)
        return int(max(found))

    def last_key_elsewhere(self) -> Iterator[int]:
        """The largest key, read from other pages of the file, if those of the table cannot be read."""
        for index in ('executions_run', 'executions_type', 'executions_closed_by_start'):
            with suppress(StoreError):
                sql = f'SELECT coalesce(max(+key), 0) FROM executions INDEXED BY {index}'  # noqa: S608 - our own words
                yield int(self.rows(f'{sql} WHERE status IS NOT NULL' if 'closed' in index else sql)[0][0])
        with suppress(StoreError):
            yield int(self.rows('SELECT coalesce(max(ref), 0) FROM events')[0][0]) >> EVENT_BITS

    def items(self, key: int | None = None) -> list[tuple[int, dict[str, Any]]]:
        """Open items: ref and data; those of one execution, or all."""
        first, last = (0, LAST_REF) if key is None else (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK)
        with self.clear_errors:
            rows = self.rows('SELECT ref, data FROM items WHERE ref BETWEEN ? AND ? ORDER BY ref', (first, last))
            return [(ref, json.loads(data)) for ref, data in rows]

    def item_texts(self, key: int | None = None) -> list[tuple[int, str]]:
        """Open items as JSON: ref and text; those of one execution, or all."""
        first, last = (0, LAST_REF) if key is None else (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK)
        return self.rows('SELECT ref, data FROM items WHERE ref BETWEEN ? AND ? ORDER BY ref', (first, last))

    def name_of(self, key: int) -> str:
        """The name of an execution, for messages about damage."""
        found: list[tuple[Any, ...]] = []
        with suppress(StoreError):
            found = self.rows('SELECT workflow_id, run_id FROM executions WHERE key = ?', (key,))
        return f'execution {found[0][0]!r} (run {found[0][1]})' if found else f'the execution of row {key}'

    def execution(self, key: int) -> dict[str, Any] | None:
        """The row of an execution."""
        return self._one('key = ?', (key,))

    def run(self, domain: str, workflow_id: str, run_id: str) -> dict[str, Any] | None:
        """The row of a run."""
        return self._one('domain = ? AND workflow_id = ? AND run_id = ?', (domain, workflow_id, run_id))

    def _one(self, where: str, values: tuple[Any, ...]) -> dict[str, Any] | None:
        rows = self.rows(f'SELECT {COLUMNS} FROM executions WHERE {where}', values)  # noqa: S608 - our own words
        return self._row(rows[0]) if rows else None

    def _row(self, values: tuple[Any, ...]) -> dict[str, Any]:
        row = dict(zip(COLUMNS.split(', '), values, strict=True))
        try:
            for name in ('tags', 'about', 'outcome'):
                row[name] = json.loads(row[name]) if row[name] else None
            check_numbers(row)
        except (ValueError, RecursionError) as error:
            raise DamagedRow(
                f'{self.path}: the row of execution {row["workflow_id"]!r} (run {row["run_id"]}) is damaged '
                f'({error}). Everything else can be used, and saved with `genflow db export`.'
            ) from error
        return row

    def events(self, key: int, first: int, last: int, *, newest_first: bool = False) -> list[str]:
        """Events of an execution as JSON, from id ``first`` to ``last``; to the end if that is :data:`EVENT_MASK`.

        Raises:
            DamagedRow: One of them is damaged or missing.
        """
        rows = self.rows(
            f'SELECT ref, event, {EVENT_IS_WHOLE} FROM events WHERE ref BETWEEN ? AND ? ORDER BY ref',  # noqa: S608 - our own words
            (key << EVENT_BITS | first, key << EVENT_BITS | last),
        )
        first = max(first, 1)
        number = max(len(rows), 1) if last == EVENT_MASK else last - first + 1
        for event_id, row in zip_longest(range(first, first + number), rows):
            if row is None or row[0] != key << EVENT_BITS | event_id or not row[2]:
                self._refuse_event(key, event_id)
        texts = [event for _, event, _ in rows]
        return texts[::-1] if newest_first else texts

    def _refuse_event(self, key: int, event_id: int) -> NoReturn:
        raise DamagedRow(
            f'{self.path}: event {event_id} of {self.name_of(key)} is damaged or missing. Everything else can be '
            'used, and saved with `genflow db export`.'
        )

    def last_event(self, key: int) -> tuple[int, str]:
        """Id and text of the newest event of an execution."""
        sql = 'SELECT ref, event FROM events WHERE ref BETWEEN ? AND ? ORDER BY ref DESC LIMIT 1'
        rows = self.rows(sql, (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK))
        if not rows:
            raise CorruptFile(f'{self.path}: execution {key} has no events. Restore the file from a copy.')
        return rows[0][0] & EVENT_MASK, rows[0][1]

    def last_activity(self, key: int) -> str | None:
        """The newest event about an activity."""
        return self._last(key, 'ActivityTask%')

    def last_decision(self, key: int) -> str | None:
        """The newest event of a decision task that was completed."""
        return self._last(key, 'DecisionTaskCompleted')

    def _last(self, key: int, types: str) -> str | None:
        """The newest event of types like that."""
        rows = self.rows(
            'SELECT event FROM events WHERE ref BETWEEN ? AND ? '
            "AND json_extract(event, '$.eventType') LIKE ? ORDER BY ref DESC LIMIT 1",
            (key << EVENT_BITS, key << EVENT_BITS | EVENT_MASK, types),
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
        return [self._row(row) for row in self.rows(sql, (*values, query.limit))]

    def count(self, query: Query) -> int:
        """How many executions there are."""
        where, values = conditions(query)
        return int(self.rows(f'SELECT count(*) FROM executions WHERE {where}', values)[0][0])  # noqa: S608

    def facts(self, now: int) -> dict[str, int]:
        """Sizes, for people, without what is past its retention at that moment."""
        counts = {name: int(self.rows(sql, (now,) * sql.count('?'))[0][0]) for name, sql in FACTS.items()}
        files = [] if self.in_memory else [Path(self.path), log_of(self.path)]
        counts['bytes'] = sum(file.stat().st_size for file in files if file.exists())
        return counts


FACTS = {
    'domains': 'SELECT count(*) FROM domains',
    'types': 'SELECT count(*) FROM types',
    'executions': 'SELECT count(*) FROM executions WHERE expires IS NULL OR expires > ?',
    'open executions': 'SELECT count(*) FROM executions WHERE status IS NULL',
    'events': 'SELECT count(*) FROM events WHERE ref >> 20 NOT IN (SELECT key FROM executions WHERE expires <= ?)',
}
"""What is counted for people."""

COLUMNS = (
    'key, domain, workflow_id, run_id, type_name, type_version, started, closed, status, expires, cancel_requested, '
    'tags, about, outcome'
)
