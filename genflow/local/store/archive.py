"""What ``genflow db`` does with a file: tell about it, write it as text, make one from text, shrink it.

The text is JSON lines: a heading, then a line for each domain, type and execution; an execution has its row, its whole
history and what is open in it, so an imported file goes on where the exported one stood. Tasks that were handed out
stay handed out, under the same tokens.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TextIO

import attrs

from genflow.local.errors import CorruptFile, ForeignFile, StoreError
from genflow.local.json_text import encode
from genflow.local.state.transaction import EVENT_BITS, EVENT_MASK
from genflow.local.store import Store

FORMAT = 1


@attrs.frozen
class Report:
    """What was exported or imported.

    Attributes:
        executions: how many.
        lost: what could not be read, in words; empty unless the file is damaged.
    """

    executions: int
    lost: tuple[str, ...] = ()


def info(path: str) -> dict[str, int]:
    """Counts of what the file holds, and its size in bytes.

    Raises:
        StoreError: the file does not exist, is in use, or cannot be read.
    """
    with closing(_existing(path)) as store:
        store.replay()
        return store.facts()


def vacuum(path: str) -> tuple[int, int]:
    """Shrink the file to what it holds; the bytes before and after.

    Raises:
        StoreError: as :func:`info`.
    """
    before = Path(path).stat().st_size if Path(path).exists() else 0
    with closing(_existing(path)) as store:
        store.replay()
        store.vacuum()
    return before, Path(path).stat().st_size


def export(path: str, out: TextIO) -> Report:
    """Write the file's contents as text; of a damaged file, what can be read.

    Raises:
        StoreError: the file does not exist, is in use, or nothing of it can be read.
    """
    try:
        with closing(_existing(path)) as store:
            store.replay()
            return _write(store, out, lost=[])
    except CorruptFile as error:
        return _salvage(path, out, error)


def _salvage(path: str, out: TextIO, error: CorruptFile) -> Report:
    """Export from a copy, so that the damaged file itself stays as it is."""
    lost = [str(error)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / 'copy'
        for suffix in ('', '-wal'):
            if Path(path + suffix).exists():
                shutil.copyfile(path + suffix, f'{copy}{suffix}')
        out.seek(0)
        out.truncate()
        with closing(Store(str(copy), damaged=True)) as store:
            try:
                store.replay()
            except StoreError as worse:
                lost.append(f'the last changes: {worse}')
            return _write(store, out, lost)


def _write(store: Store, out: TextIO, lost: list[str]) -> Report:
    out.write(encode({'genflow': 'swf', 'format': FORMAT}) + '\n')
    salvaging = bool(lost)
    count = 0
    for line in _lines(store, lost, salvaging=salvaging):
        out.write(line + '\n')
        count += line.startswith('{"execution"')
    return Report(count, tuple(lost))


def _lines(store: Store, lost: list[str], *, salvaging: bool) -> Iterator[str]:
    for domain in store.domains():
        yield encode({'domain': domain})
    for domain_name, kind, name, version, data in store.types():
        yield encode({'type': {'domain': domain_name, 'kind': kind, 'name': name, 'version': version, 'data': data}})
    if not salvaging:
        for key in store.execution_keys():
            yield _execution_line(store, key)
        return
    for key in _possible_keys(store):
        try:
            if store.execution(key):
                yield _execution_line(store, key)
        except StoreError as error:
            lost.append(f'execution {key}: {error}')


def _possible_keys(store: Store) -> range:
    """All keys up to the largest that any readable page knows of."""
    known = max(store.last_key_elsewhere(), default=0)
    return range(1, (known or store.last_key()) + 1)


def _execution_line(store: Store, key: int) -> str:
    row = encode(store.execution(key))
    events = ','.join(store.events(key, 0, EVENT_MASK))
    items = encode([[ref & EVENT_MASK, data] for ref, data in store.items(key)])
    return f'{{"execution":{row},"events":[{events}],"items":{items}}}'


def import_(path: str, lines: Iterable[str]) -> Report:
    """Make a file from exported text.

    Raises:
        StoreError: the file exists and holds something already, or cannot be written.
        ValueError: the text is not an export; the message says which line.
    """
    with closing(Store(path)) as store:
        store.replay()
        if store.execution_keys() or store.domains():
            raise StoreError(f'{path} holds executions or domains already: import into a new file.')
        count = 0
        for number, line in enumerate(lines, start=1):
            count += _read_line(store, number, line)
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
    expected = {'genflow': 'swf', 'format': FORMAT}
    if data != expected:
        raise ValueError(f'{data} found, the heading {expected} expected')
    return None


def _columns(data: Any) -> Columns | None:
    """A line as a batch."""
    if not isinstance(data, dict):
        raise TypeError(f'{type(data).__name__} found, an object expected')
    if 'domain' in data:
        return (*[None] * 6, encode([data['domain']]), None)
    if 'type' in data:
        return (*[None] * 7, encode([data['type']]))
    return execution_columns(data) if 'execution' in data else None


def execution_columns(data: dict[str, Any]) -> Columns:
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


def _existing(path: str) -> Store:
    """The file, which must be there."""
    if not Path(path).exists():
        raise ForeignFile(f'{path} does not exist.')
    return Store(path)
