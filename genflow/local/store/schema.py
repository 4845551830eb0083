"""The tables of the file, as the steps that brought them about.

Theory of operation. An event is one row, under a number that is the key of its execution and its id in one, so a
history is one stretch of one B-tree and appending to it is as cheap for the twenty-thousandth event as for the first.
What is open (tasks, timers, children) is one row of ``items`` each, under the number of the event that opened it, and
goes when it settles. Closed executions are found through indexes only.

A commit is one row of ``journal``: the changes of the calls that share it, as JSON. That touches one page where the
tables would touch one for every execution. Every so often the changes since the last time are *folded* into the
tables at once; what was opened and settled meanwhile never gets to a table. The rows stay where they are, and the next
commits take their places: pages that are given back and taken again would cost each commit three more. The row of slot
0 has the number of the last commit that was folded. The events are written many with a statement, all else by an insert
into the view ``batches`` (or ``moves``, for the usual few kinds of change), whose trigger takes it apart. Reading folds
first. After a crash the journal is folded row by row, in order.

So a commit is one statement and a fold a few: Python's interpreter lock is not given up for each row. Only the answers
to the numbered calls of other processes (see :mod:`genflow.local.state.answers`) are rows beside them.

``history`` and ``open_items`` are views for people with an SQLite shell.
"""

from __future__ import annotations

__all__ = ['APPLICATION_ID', 'STEPS', 'VERSION']

APPLICATION_ID = 0x67666C01
"""In the header of every file of ours: 'gfl' and a version of the header itself."""

_FIRST = """
CREATE TABLE domains (name TEXT PRIMARY KEY, data TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE types (
    domain TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (domain, kind, name, version)
) WITHOUT ROWID;

CREATE TABLE executions (
    key INTEGER PRIMARY KEY,
    domain TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    type_name TEXT NOT NULL,
    type_version TEXT NOT NULL,
    started INTEGER NOT NULL,           -- milliseconds since the epoch, as every moment here
    closed INTEGER,
    status TEXT,                        -- SWF's close status; NULL while open
    expires INTEGER,                    -- when the retention period ends
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    tags TEXT NOT NULL,                 -- JSON
    about TEXT NOT NULL,                -- JSON: configuration, parent
    outcome TEXT                        -- JSON: open counts and what else is frozen at the close
);
CREATE UNIQUE INDEX executions_run ON executions (domain, workflow_id, run_id);
CREATE INDEX executions_open ON executions (domain, started) WHERE status IS NULL;
CREATE INDEX executions_closed_by_start ON executions (domain, started) WHERE status IS NOT NULL;
CREATE INDEX executions_closed_by_close ON executions (domain, closed) WHERE status IS NOT NULL;
CREATE INDEX executions_status ON executions (domain, status, closed) WHERE status IS NOT NULL;
CREATE INDEX executions_type ON executions (domain, type_name, started);
CREATE INDEX executions_expiring ON executions (expires) WHERE expires IS NOT NULL;

CREATE TABLE tags (tag TEXT NOT NULL, execution INTEGER NOT NULL, PRIMARY KEY (tag, execution)) WITHOUT ROWID;
CREATE INDEX tags_of_execution ON tags (execution);

CREATE TABLE events (ref INTEGER PRIMARY KEY, event TEXT NOT NULL);
CREATE TABLE items (ref INTEGER PRIMARY KEY, data TEXT NOT NULL);

CREATE TABLE journal (
    number INTEGER PRIMARY KEY, events TEXT, dropped TEXT, items TEXT, started TEXT, closed TEXT, canceled TEXT,
    domains TEXT, types TEXT
);

CREATE VIEW moves (events, dropped, items) AS SELECT NULL, NULL, NULL WHERE 0;

CREATE TRIGGER write_moves INSTEAD OF INSERT ON moves BEGIN
    INSERT INTO events (ref, event) SELECT CAST(key AS INTEGER), value FROM json_each(new.events);
    DELETE FROM items WHERE ref IN (SELECT value FROM json_each(new.dropped));
    INSERT OR REPLACE INTO items (ref, data) SELECT CAST(key AS INTEGER), value FROM json_each(new.items);
END;

CREATE VIEW batches (events, dropped, items, started, closed, canceled, domains, types)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL WHERE 0;

CREATE TRIGGER write_batch INSTEAD OF INSERT ON batches BEGIN
    INSERT INTO executions (key, domain, workflow_id, run_id, type_name, type_version, started, tags, about)
        SELECT json_extract(value, '$.key'), json_extract(value, '$.domain'), json_extract(value, '$.workflowId'),
            json_extract(value, '$.runId'), json_extract(value, '$.name'), json_extract(value, '$.version'),
            json_extract(value, '$.started'), json_extract(value, '$.tags'), json_extract(value, '$.about')
        FROM json_each(new.started);
    INSERT OR IGNORE INTO tags (tag, execution)
        SELECT tag.value, json_extract(row.value, '$.key')
        FROM json_each(new.started) AS row, json_each(row.value, '$.tags') AS tag;
    INSERT INTO moves VALUES (new.events, new.dropped, new.items);
    UPDATE executions SET cancel_requested = 1 WHERE key IN (SELECT value FROM json_each(new.canceled));
    UPDATE executions SET
            closed = json_extract(row.value, '$.closed'), status = json_extract(row.value, '$.status'),
            expires = json_extract(row.value, '$.expires'), outcome = json_extract(row.value, '$.outcome')
        FROM json_each(new.closed) AS row WHERE executions.key = json_extract(row.value, '$.key');
    INSERT OR REPLACE INTO domains (name, data)
        SELECT json_extract(value, '$.name'), value FROM json_each(new.domains);
    DELETE FROM types WHERE (domain, kind, name, version) IN (
        SELECT json_extract(value, '$.domain'), json_extract(value, '$.kind'), json_extract(value, '$.name'),
            json_extract(value, '$.version')
        FROM json_each(new.types)
    );
    INSERT INTO types (domain, kind, name, version, data)
        SELECT json_extract(value, '$.domain'), json_extract(value, '$.kind'), json_extract(value, '$.name'),
            json_extract(value, '$.version'), json_extract(value, '$.data')
        FROM json_each(new.types) WHERE json_extract(value, '$.data') IS NOT NULL;
END;

CREATE VIEW history AS
    SELECT executions.domain, executions.workflow_id, executions.run_id, events.ref & 1048575 AS event_id,
        json_extract(events.event, '$.eventType') AS event_type,
        json_extract(events.event, '$.eventTimestamp') AS timestamp, events.event
    FROM events JOIN executions ON executions.key = events.ref >> 20;

CREATE VIEW open_items AS
    SELECT executions.domain, executions.workflow_id, executions.run_id, items.ref & 1048575 AS event_id,
        json_extract(items.data, '$.kind') AS kind, items.data
    FROM items JOIN executions ON executions.key = items.ref >> 20;
"""

_SHARED = """
CREATE TABLE answers (
    process TEXT NOT NULL, number INTEGER NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (process, number)
) WITHOUT ROWID;
"""

_SLOTS = """
ALTER TABLE journal RENAME COLUMN number TO slot;
ALTER TABLE journal ADD COLUMN number INTEGER;
UPDATE journal SET number = slot;
"""

STEPS: tuple[str, ...] = (_FIRST, _SHARED, _SLOTS)
"""Step n brings a file of version n - 1 to version n; a step is never changed once it was released."""

VERSION = len(STEPS)
