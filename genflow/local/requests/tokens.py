"""The opaque texts that callers bring back: task tokens and page tokens.

A token is base64 of a checksum and what it seals. The checksum is there to tell a damaged token from a good one, not
to keep anybody from making one: the service trusts whoever can reach it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any, NamedTuple, SupportsIndex

from genflow.local.requests import faults

__all__ = ['SealedTask', 'TaskToken', 'page_token', 'read_page_token', 'read_task_token', 'seal']

encode = json.JSONEncoder(separators=(',', ':'), ensure_ascii=False).encode


class TaskToken(NamedTuple):
    """Which task was handed out.

    Attributes:
        kind: ``'activity'`` or ``'decision'``.
        key: Of the execution.
        run_id: Of the execution; tells its key from the same key of an emptied service.
        scheduled, started: the task's events.
    """

    kind: str
    key: int
    run_id: str
    scheduled: int
    started: int

    def text(self) -> SealedTask:
        text = SealedTask(seal(f'{self.kind} {self.key} {self.scheduled} {self.started} {self.run_id}'.encode()))
        text.task, text.start = self, 0
        return text


class SealedTask(str):
    """The text of a task token, as it is given out in this process.

    Whoever brings back this very object has not changed it, so it need not be opened. Every copy is plain text.

    Attributes:
        task: What the text seals.
        start: The batch that has the task's start, where it may not be in the file yet; else 0.
    """

    __slots__ = ('start', 'task')
    start: int
    task: TaskToken

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


LONGEST_NUMBER = 18
"""Digits of a number in a token: SQLite holds larger ones than any that was given out."""


def read_task_token(text: str, kind: str) -> TaskToken:
    """The token, if it is one of a task of that kind.

    Raises:
        ServiceError: ValidationException "Invalid token".
    """
    if isinstance(text, SealedTask) and text.task.kind == kind:
        return text.task
    try:
        found, key, scheduled, started, run_id = unseal(text).decode().split(' ')
        if found == kind and max(len(key), len(scheduled), len(started)) <= LONGEST_NUMBER:
            return TaskToken(kind, int(key), run_id, int(scheduled), int(started))
    except ValueError:  # sealed by another service
        pass
    raise faults.invalid_token()


def page_token(now: int, query: str, position: Any) -> str:
    """A token for the next page of ``query``, that begins after ``position``."""
    return seal(encode(['page', now, zlib.crc32(query.encode()), position]).encode())


def read_page_token(text: str, now: int, query: str, lifetime: int) -> Any:
    """The position where the page begins.

    ``lifetime`` is how many seconds a token can be used.

    Raises:
        ServiceError: ValidationException; the token is damaged, of another query, or too old.
    """
    match read_sealed(unseal(text)):
        case ['page', int(issued), int(checksum), position] if checksum == zlib.crc32(query.encode()):
            if now - issued > lifetime * 1000:
                raise faults.invalid('Specified token has exceeded its maximum lifetime')
            return position
    raise faults.invalid_token()


def read_sealed(body: bytes) -> Any:
    """The JSON of a page token; None where it is something else, sealed by somebody else."""
    try:
        return json.loads(body) if body.startswith(b'["page",') else None
    except (ValueError, RecursionError):
        return None


def seal(body: bytes) -> str:
    """A text that :func:`unseal` knows again."""
    return binascii.b2a_base64(zlib.crc32(body).to_bytes(4, 'big') + body, newline=False).decode()


def unseal(text: str) -> bytes:
    """What was sealed.

    Raises:
        ServiceError: ValidationException "Invalid token".
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise faults.invalid_token() from None
    if zlib.crc32(raw[4:]).to_bytes(4, 'big') != raw[:4]:
        raise faults.invalid_token()
    return raw[4:]
