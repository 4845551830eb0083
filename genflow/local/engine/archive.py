"""The operations of ``genflow db`` on a file: information, export, import, vacuum, backup.

The text is JSON lines: a heading, then a line for each domain, type and execution; an execution has its row, its whole
history and what is open in it, so an imported file goes on where the exported one stood. Tasks that were handed out
stay handed out, under the same tokens.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from attrs import frozen

from genflow.local.engine.loading import described, read_item, readable
from genflow.local.errors import CorruptFile, DamagedRow, FileInUse, ForeignFile, StoreError
from genflow.local.json_text import encode
from genflow.local.state.domains import Domain, TypeRecord
from genflow.local.state.items import Progress
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK
from genflow.local.store import Store
from genflow.local.store.file import copy_live, log_of
from genflow.local.store.sqlite_errors import ClearErrors

__all__ = ['HEADING', 'Report', 'backup', 'export', 'import_', 'info', 'vacuum']

HEADING = {'genflow': 'swf', 'format': 1}
"""The first line of an export."""

QUOTED = 80
"""Characters of a wrong line that a message quotes."""

BY_ITSELF = '{"state": "alone", "why": "a genflow command works on the whole file; it ends by itself."}'
"""What the lock file says meanwhile (:mod:`genflow.local.shared.notice`)."""


@frozen
class Report:
    """What was exported or imported.

    Attributes:
        executions: How many.
        lost: What could not be read, in words; empty unless the file is damaged.
    """

    executions: int
    lost: tuple[str, ...] = ()


def info(path: str) -> dict[str, int]:
    """Counts of what the file holds, and its size in bytes; what was past its retention at the last change counts not.

    Raises:
        StoreError: The file does not exist or cannot be read.
    """
    with _readable(path) as store:
        store.replay()
        return store.facts(store.newest_moment())


def vacuum(path: str) -> tuple[int, int]:
    """Forget what is past its retention and shrink the file; the bytes before and after.

    Raises:
        StoreError: The file does not exist, is in use, or cannot be read.
    """
    before = Path(path).stat().st_size if Path(path).exists() else 0
    with closing(_existing(path)) as store:
        store.replay()
        now = store.newest_moment()
        while (following := store.sweep(now)) is not None and following <= now:
            pass
        store.vacuum()
    return before, Path(path).stat().st_size


def backup(path: str, copy: str) -> int:
    """Make a whole copy of a file, also while a service has it open; the bytes of the copy.

    Raises:
        StoreError: The file does not exist or cannot be read, or the copy exists already.
    """
    if not Path(path).exists():
        raise ForeignFile(f'{path} does not exist.')
    with ClearErrors(copy):
        try:
            os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise StoreError(f'{copy} exists already: name a new file.') from None
    try:
        copy_live(path, copy)
    except BaseException:
        Path(copy).unlink()
        raise
    return Path(copy).stat().st_size


def export(path: str, out: TextIO) -> Report:
    """Write the file's contents as text; of a damaged file, what can be read.

    Raises:
        StoreError: The file does not exist, or nothing of it can be read.
    """
    try:
        with _readable(path) as store:
            store.replay()
            return _write(store, out, lost=[])
    except CorruptFile as error:
        return _salvage(path, out, error)


def _salvage(path: str, out: TextIO, error: CorruptFile) -> Report:
    """Export from a copy, so that the damaged file itself stays as it is."""
    lost = [str(error).partition(' Restore it')[0].partition(' Save what')[0]]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / 'copy'
        shutil.copyfile(path, copy)
        if log_of(path).exists():
            shutil.copyfile(log_of(path), f'{copy}-wal')
        out.seek(0)
        out.truncate()
        with closing(Store(str(copy), damaged=True, shown=path)) as store:
            try:
                store.replay()
            except StoreError as worse:
                lost.append(f'the last changes: {worse}')
            return _write(store, out, lost)


def _write(store: Store, out: TextIO, lost: list[str]) -> Report:
    out.write(encode(HEADING) + '\n')
    salvaging = bool(lost)
    count = 0
    for line in _lines(store, lost, salvaging=salvaging):
        out.write(line + '\n')
        count += line.startswith('{"execution"')
    return Report(count, tuple(lost))


def _lines(store: Store, lost: list[str], *, salvaging: bool) -> Iterator[str]:
    """Every line; what is damaged is named in ``lost`` instead."""
    now = 0 if salvaging else store.newest_moment()
    domains: dict[str, Domain] = {}
    with suppressed(lost, CorruptFile if salvaging else DamagedRow):
        for name, text in store.domain_texts():
            with suppressed(lost), readable(store.path, partial('domain {!r}'.format, name)):
                domains[name] = Domain(**(row := json.loads(text)))
                yield encode({'domain': row})
    with suppressed(lost, CorruptFile if salvaging else DamagedRow):
        for domain, kind, name, version, text in store.type_texts():
            words = partial('{} type {!r}, version {!r}, of domain {!r}'.format, kind, name, version, domain)
            with suppressed(lost), readable(store.path, words):
                if domain not in domains:
                    raise LookupError('its domain cannot be read')
                if kind not in domains[domain].types:
                    raise LookupError(f'{kind!r} is not a kind of types')
                TypeRecord(kind=kind, name=name, version=version, **(data := json.loads(text)))
                type_ = {'domain': domain, 'kind': kind, 'name': name, 'version': version, 'data': data}
                yield encode({'type': type_})
    for key in _possible_keys(store) if salvaging else store.execution_keys(now):
        with (
            suppressed(lost, CorruptFile if salvaging else DamagedRow),
            readable(store.path, partial(store.name_of, key)),
        ):
            row = store.execution(key)
            if row:
                if row['domain'] not in domains:
                    raise LookupError('its domain cannot be read')
                yield _execution_line(store, key)


@contextmanager
def suppressed(lost: list[str], kind: type[CorruptFile] = DamagedRow) -> Iterator[None]:
    """Put what is damaged on the list, without the advice to export, and go on."""
    try:
        yield
    except kind as error:
        lost.append(str(error).partition(' Everything else')[0])


def _possible_keys(store: Store) -> range:
    """All keys up to the largest that any readable page knows of."""
    known = max(store.last_key_elsewhere(), default=0)
    return range(1, (known or store.last_key()) + 1)


def _execution_line(store: Store, key: int) -> str:
    """Row, history and items; whatever cannot be imported again, or not be gone on with, is refused here."""
    row = store.execution(key) or {}
    described(row)
    texts = store.events(key, 0, EVENT_MASK)
    items = {ref & EVENT_MASK: _without_owner(read_item(text)[0]) for ref, text in store.item_texts(key)}
    if row['status'] is None and not any(item['kind'] == Progress.kind for item in items.values()):
        raise ValueError('it is open, and what keeps its progress is missing')
    return f'{{"execution":{encode(row)},"events":[{",".join(texts)}],"items":{encode(list(items.items()))}}}'


def _without_owner(item: dict[str, Any]) -> dict[str, Any]:
    """The row of an item, which no process of the file's new place has."""
    return {name: '' if name == 'owner' else value for name, value in item.items()}


def import_(path: str, lines: Iterable[str]) -> Report:
    """Make a file from exported text.

    Raises:
        StoreError: The file exists and holds something already, or cannot be written.
        ValueError: The text is not an export; the message says which line.
    """
    is_new = not Path(path).exists()
    try:
        return _imported(path, lines)
    except BaseException:
        if is_new:
            made = os.path.realpath(path)
            for suffix in ('', '-wal', '-shm'):
                Path(made + suffix).unlink(missing_ok=True)
        raise


def _imported(path: str, lines: Iterable[str]) -> Report:
    with closing(Store(path, notice=BY_ITSELF)) as store:
        store.replay()
        if store.execution_keys() or store.domains():
            raise StoreError(f'{path} holds executions or domains already: import into a new file.')
        count = number = 0
        for number, line in enumerate(lines, start=1):
            count += _read_line(store, number, line)
        if not number:
            raise ValueError('the text is empty: it is not an export of genflow')
        return Report(count)


def _read_line(store: Store, number: int, line: str) -> bool:
    """Write what the line says into the file; whether it was an execution."""
    try:
        data = json.loads(line)
        columns = _columns(data) if number > 1 else _heading(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f'line {number} is not of an export of genflow: {error}') from error
    if columns:
        store.fold(columns)
    return 'execution' in data


Columns = tuple[str | None, ...]


def _heading(data: dict[str, Any]) -> Columns | None:
    """The first line, which holds nothing but must be right."""
    if data != HEADING:
        raise ValueError(f'{str(data)[:QUOTED]} found, the heading {HEADING} expected')
    return None


def _columns(data: Any) -> Columns | None:
    """A line as a batch."""
    if not isinstance(data, dict):
        raise TypeError(f'{type(data).__name__} found, an object expected')
    if 'domain' in data:
        return (*[None] * 6, encode([data['domain']]), None)
    if 'type' in data:
        return (*[None] * 7, encode([data['type']]))
    return _execution_columns(data) if 'execution' in data else None


def _execution_columns(data: dict[str, Any]) -> Columns:
    row = data['execution']
    key = row['key']
    events = {str(key << EVENT_BITS | event['eventId']): event for event in data['events']}
    items = {str(key << EVENT_BITS | event_id): item for event_id, item in data['items']}
    started = {
        'key': key,
        'domain': row['domain'],
        'workflowId': row['workflow_id'],
        'runId': row['run_id'],
        'name': row['type_name'],
        'version': row['type_version'],
        'started': row['started'],
        'tags': row['tags'],
        'about': row['about'],
    }
    closed = {name: row[name] for name in ('key', 'closed', 'status', 'expires', 'outcome')}
    return (
        encode(events),
        None,
        encode(items) if items else None,
        encode([started]),
        encode([closed]) if row['status'] else None,
        encode([key]) if row['cancel_requested'] else None,
        None,
        None,
    )


@contextmanager
def _readable(path: str) -> Iterator[Store]:
    """The file, or a copy of it as it is at this moment where somebody has it open."""
    try:
        store = _existing(path)
    except FileInUse:
        with tempfile.TemporaryDirectory() as folder:
            copy = str(Path(folder) / 'copy')
            backup(path, copy)
            with closing(Store(copy, shown=path)) as store:
                yield store
        return
    with closing(store):
        yield store


def _existing(path: str) -> Store:
    """The file, which must be there."""
    if not Path(path).exists():
        raise ForeignFile(f'{path} does not exist.')
    return Store(path, notice=BY_ITSELF)
