"""The opaque texts that callers bring back: task tokens and page tokens.

A token is base64 of a JSON list and its checksum. The checksum is there to tell a damaged token from a good one, not
to keep anybody from making one: the service trusts whoever can reach it.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any, Final

import attrs

from genflow.local import faults

encode = json.JSONEncoder(separators=(',', ':'), ensure_ascii=False).encode

_TASK: Final = 'task'
_PAGE: Final = 'page'


@attrs.frozen(slots=True)
class TaskToken:
    """Which task was handed out.

    Attributes:
        kind: ``'activity'`` or ``'decision'``.
        key: of the execution.
        run_id: of the execution; tells its key from the same key of an emptied service.
        scheduled, started: the task's events.
    """

    kind: str
    key: int
    run_id: str
    scheduled: int
    started: int

    def text(self) -> str:
        return pack(_TASK, self.kind, self.key, self.run_id, self.scheduled, self.started)


def read_task_token(text: str, kind: str) -> TaskToken:
    """The token, if it is one of a task of that kind.

    Raises:
        ServiceError: ValidationException "Invalid token".
    """
    match unpack(text, _TASK):
        case [str(found), int(key), str(run_id), int(scheduled), int(started)] if found == kind:
            return TaskToken(kind, key, run_id, scheduled, started)
    raise faults.invalid_token()


def page_token(now: int, query: str, position: Any) -> str:
    """A token for the next page of ``query``, that begins after ``position``."""
    return pack(_PAGE, now, zlib.crc32(query.encode()), position)


def read_page_token(text: str, now: int, query: str, lifetime: int) -> Any:
    """The position where the page begins.

    Args:
        lifetime: seconds for which a token can be used.

    Raises:
        ServiceError: ValidationException; the token is damaged, of another query, or too old.
    """
    match unpack(text, _PAGE):
        case [int(issued), int(checksum), position] if checksum == zlib.crc32(query.encode()):
            if now - issued > lifetime * 1000:
                raise faults.invalid('Specified token has exceeded its maximum lifetime')
            return position
    raise faults.invalid_token()


def pack(*parts: Any) -> str:
    """Parts as one token."""
    body = encode(parts).encode()
    return base64.b64encode(zlib.crc32(body).to_bytes(4, 'big') + body).decode()


def unpack(text: str, purpose: str) -> list[Any]:
    """The parts after the purpose.

    Raises:
        ServiceError: ValidationException "Invalid token".
    """
    try:
        raw = base64.b64decode(text, validate=True)
        checksum, body = raw[:4], raw[4:]
        if zlib.crc32(body).to_bytes(4, 'big') == checksum:
            found, *parts = json.loads(body)
            if found == purpose:
                return list(parts)
    except (binascii.Error, ValueError):
        pass
    raise faults.invalid_token()
