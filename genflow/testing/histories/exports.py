"""Histories as JSON: what ``aws swf get-workflow-execution-history`` prints, and what genflow exports.

These forms are read: one response of the service (``{"events": […]}``, with timestamps as epoch seconds or ISO 8601),
several responses one after the other or in a list (``--no-paginate``), a bare list of events, and one event on each
line. Each has to contain every event from the first on, in order. Anything else is refused with the place of the
mistake, since a replay of half a history proves nothing.
"""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import frozen

from genflow.core.errors import HistoryError
from genflow.swf.wire.events import attributes_member

__all__ = ['Loaded', 'Source', 'load', 'written']

Event = Mapping[str, Any]
Source = str | bytes | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]]

GZIP = b'\x1f\x8b'

TOKENS = ('nextPageToken', 'NextToken', 'nextToken')
"""The members that announce further pages: SWF's own, and those of the AWS command line."""


@frozen
class Loaded:
    """A history as it was read.

    Attributes:
        name: The path of the file, or a description of the source.
        events: All of SWF's event dicts, in order, with the timestamps as written.
        workflow_id: ``None`` if the source does not contain it.
        run_id: Likewise.
        is_named_by_file: Whether the ids were taken from the name of the file.
    """

    name: str
    events: list[Event]
    workflow_id: str | None = None
    run_id: str | None = None
    is_named_by_file: bool = False


def load(source: Source, *, name: str | None = None) -> Loaded:
    """Reads a history.

    Args:
        source: A path, the JSON itself as text or bytes, an answer of a SWF client, or a list of answers or of events.
            A file, and bytes, may be compressed with gzip, and begin with a byte order mark.
        name: What messages call it. Default: the path.

    Raises:
        HistoryError: The source is not a complete history; the text names the place.
        OSError: The file cannot be read.
    """
    name, documents = _documents(source, name)
    pages = [page for document in documents for page in _pages(name, document)]
    events = [event for page in pages for event in page['events']]
    _check(name, events, pages)
    events = [_whole(name, event) for event in events]
    if any(pages[-1].get(token) for token in TOKENS):
        raise HistoryError(f'{name} is cut: its last page says that there are more; save all pages of the history')
    execution: Event = next((page['workflowExecution'] for page in pages if 'workflowExecution' in page), {})
    return Loaded(name, events, execution.get('workflowId'), execution.get('runId'))


def _documents(source: Source, name: str | None) -> tuple[str, list[Any]]:
    """A name for messages, and the JSON values."""
    if isinstance(source, bytes):
        name = name or 'the text'
        return name, _parsed(name, _text(name, source))
    if isinstance(source, str) and source.lstrip()[:1] in {'{', '['}:
        return name or 'the text', _parsed(name or 'the text', source)
    if isinstance(source, (str, Path)):
        name = name or str(source)
        return name, _parsed(name, _text(name, Path(source).read_bytes()))
    return name or 'the history', [source]


def _text(name: str, content: bytes) -> str:
    """The text of a file: UTF-8, or what its byte order mark says, as Windows PowerShell writes UTF-16."""
    try:
        if content.startswith(GZIP):
            content = gzip.decompress(content)
        is_wide = len(content) > len(codecs.BOM_UTF16) and content.startswith(
            (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        )
        return content.decode('utf-16' if is_wide else 'utf-8-sig')
    except UnicodeDecodeError as error:
        raise HistoryError(f'{name} is not JSON: it is not text in UTF-8 ({error.reason})') from None
    except (OSError, EOFError, zlib.error) as error:
        raise HistoryError(f'{name} cannot be decompressed ({error})') from error


def _parsed(name: str, text: str) -> list[Any]:
    try:
        return list(_values(text))
    except RecursionError:
        raise HistoryError(f'{name} is not a history: its JSON is nested too deep') from None
    except ValueError as error:
        where = f'line {error.lineno}' if isinstance(error, json.JSONDecodeError) else 'its text'
        cut = getattr(error, 'pos', 0) >= len(text.rstrip()) - 1 or 'Unterminated' in str(error)
        what = f'is cut: it ends in {where} in the middle of a value' if cut else f'is not JSON, in {where}'
        raise HistoryError(f'{name} {what} ({error})') from error


def _values(text: str) -> Iterator[Any]:
    """The JSON values that stand one after the other."""
    decode = json.JSONDecoder().raw_decode
    place, end = 0, len(text)
    while True:
        while place < end and text[place].isspace():
            place += 1
        if place == end:
            return
        value, place = decode(text, place)
        yield value


def _pages(name: str, document: Any) -> list[Mapping[str, Any]]:
    """The pages that a JSON value holds."""
    if isinstance(document, Mapping):
        if isinstance(document.get('events'), (list, tuple)):
            return [document]
        if 'eventId' in document:
            return [{'events': [document]}]
    elif isinstance(document, (list, tuple)):
        if document and all(isinstance(item, Mapping) and 'events' in item for item in document):
            return list(document)
        return [{'events': document}]
    raise HistoryError(
        f'{name} is not a history: it contains {_kind(document)}; expected what `aws swf '
        'get-workflow-execution-history` prints, {"events": […]}'
    )


def _kind(document: Any) -> str:
    if isinstance(document, Mapping):
        return 'an object with ' + (', '.join(map(repr, list(document)[:5])) or 'nothing in it')
    return f'a value of type {type(document).__name__}'


def _check(name: str, events: Sequence[Event], pages: Sequence[Mapping[str, Any]]) -> None:
    if not events:
        raise HistoryError(f'{name} has no events')
    try:
        ids = [event['eventId'] for event in events]
        first = events[0]['eventType']
    except KeyError as error:
        raise HistoryError(f'{name} contains an entry that is not an event: it lacks {error}') from error
    except TypeError as error:
        kind = next(type(event).__name__ for event in events if not hasattr(event, 'keys'))
        raise HistoryError(f'{name} contains an entry that is not an event, but a value of type {kind}') from error
    if ids != list(range(1, len(ids) + 1)):
        raise HistoryError(f'{name} {_disorder(ids, pages)}')
    if first != 'WorkflowExecutionStarted':
        raise HistoryError(f'{name} begins with {first}; event 1 of a history is WorkflowExecutionStarted')


_SHAPES: dict[str, type] = {
    'workflowType': dict,
    'activityType': dict,
    'taskList': dict,
    'workflowExecution': dict,
    'parentWorkflowExecution': dict,
    'externalWorkflowExecution': dict,
    'tagList': list,
}
"""The members of events that are neither text nor the id of an event."""

_WORDS = {dict: 'an object', list: 'a list', str: 'text', int: 'a number'}


def _whole(name: str, event: Event) -> Event:
    """An event without members that are null, which SWF leaves out.

    Raises:
        HistoryError: A member has a value that SWF never gives it.
    """
    kind = event.get('eventType')
    if not isinstance(kind, str):
        raise HistoryError(f'{name}: event {event["eventId"]} has no type')
    if 'eventTimestamp' not in event:
        raise HistoryError(f'{_place(name, event)}, has no timestamp')
    member = attributes_member(kind)
    attributes = event.get(member) or {}
    if not isinstance(attributes, Mapping):
        raise HistoryError(f'{_place(name, event)}, is incomplete: {member} is {_kind(attributes)}, expected an object')
    has_null = False
    for key, value in attributes.items():
        if value is None:
            has_null = True
        elif not isinstance(value, _shape(key)):
            what = f'{key} is {_kind(value)}, expected {_WORDS[_shape(key)]}'
            raise HistoryError(f'{_place(name, event)}, is incomplete: {what}')
    if not has_null:
        return event
    return {**event, member: {key: value for key, value in attributes.items() if value is not None}}


def _place(name: str, event: Event) -> str:
    return f'{name}: event {event["eventId"]}, {event["eventType"]}'


@lru_cache(maxsize=256)
def _shape(key: str) -> type:
    return int if key.endswith('EventId') else _SHAPES.get(key, str)


def _disorder(ids: Sequence[Any], pages: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with the event ids."""
    place = next(place for place, found in enumerate(ids) if found != place + 1)
    found, wanted, where = ids[place], place + 1, _on_page(place, pages)
    if len(ids) > 1 and list(ids) == sorted(ids, reverse=True):
        return f'runs backwards, from event {ids[0]!r} to {ids[-1]!r}: save it without --reverse-order'
    if found in ids[:place]:
        return f'has event {found!r} twice{where}'
    found_at = f'event {found!r} stands where event {wanted} belongs'
    if wanted in ids:
        return f'has its pages out of order: {found_at}{where}'
    return f'has a gap: {found_at}, which is missing{where}'


def _on_page(place: int, pages: Sequence[Mapping[str, Any]]) -> str:
    if len(pages) < 2:  # noqa: PLR2004 - with one page there is nothing to say
        return ''
    for number, page in enumerate(pages, 1):
        place -= len(page['events'])
        if place < 0:
            return f' (page {number} of {len(pages)})'
    return ''


def written(events: Sequence[Event], workflow_id: str | None, run_id: str | None, indent: int | None = None) -> str:
    """A history as JSON, as the AWS command line prints it, with the ids of its execution."""
    ids = {'workflowId': workflow_id, 'runId': run_id}
    known = {name: value for name, value in ids.items() if value is not None}
    document = {'workflowExecution': known, 'events': events} if known else {'events': events}
    return json.dumps(document, indent=indent, default=_epoch)


def _epoch(value: Any) -> float:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)  # SWF's timestamps have milliseconds
    raise TypeError(f'{value!r} cannot be written as JSON')
