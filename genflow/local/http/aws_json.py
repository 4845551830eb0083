"""AWS JSON 1.0: what an HTTP request asks of the service, and how its answer is written.

Everything that Amazon SWF's clients send is read: the target in its short form and in the long one of boto 2, any
content type, ``Content-Encoding: amz-1.0`` (which is no encoding), an empty body for no members, and any signature,
whose credential scope says which region is meant. Errors have SWF's documents, ``{"__type": "namespace#Name",
"message": "..."}``; an operation without output answers no bytes at all, not ``{}``.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from genflow.local.engine.served import Served
from genflow.local.errors import LocalError, ServiceError
from genflow.local.http.http11 import Request
from genflow.local.requests import faults
from genflow.local.requests.model import operations

__all__ = [
    'Call',
    'Reply',
    'carried_out',
    'failure',
    'read_call',
    'read_members',
    'read_object',
    'read_target',
    'refusal',
    'seconds_of',
]

LOG = logging.getLogger(__name__)

CONTENT_TYPE = 'application/x-amz-json-1.0'
TARGET = re.compile(r'(?:com\.amazonaws\.swf\.service\.model\.)?SimpleWorkflowService\.(\w+)\Z')
SCOPE = re.compile(r'Credential=[^,\s]*/[0-9]{8}/([^/,\s]+)/[^/,\s]+/aws4_request')
"""The region in the credential scope of a signature: key/date/region/service/aws4_request."""

POLLS = frozenset({'PollForActivityTask', 'PollForDecisionTask'})
OPERATIONS = frozenset(operations().values())
LONGEST_INTEGER = 40
"""Characters of an integer that is read to its last digit."""

LEAVES = 'x-genflow-leaves'
"""Says of a poll that whoever sends it leaves: the polls of the same identity on the same list are answered at once."""

ENCODINGS = frozenset({'', 'amz-1.0', 'identity'})
"""Boto 2 and old samples send the first of these; neither is a compression."""


class Reply(NamedTuple):
    """What goes back, but for the headers that every response has."""

    status: int
    body: bytes
    content_type: str = CONTENT_TYPE


class Call(NamedTuple):
    """One operation that is asked for, and of which service.

    Attributes:
        leaves: It is a poll that takes back those before it, and waits for nothing itself.
    """

    service: Served
    operation: str
    members: dict[str, Any]
    leaves: bool = False

    @property
    def is_poll(self) -> bool:
        """It takes a task; a poll with a page token only reads on."""
        return self.operation in POLLS and not self.members.get('nextPageToken')


def read_call(request: Request, services: Mapping[str, Served], default: Served) -> Call:
    """What the request asks for.

    Raises:
        ServiceError: It asks for nothing that can be understood.
    """
    operation = read_target(request.headers.get('x-amz-target', ''))
    service = services.get(region_of(request), default) if services else default
    leaves = operation in POLLS and LEAVES in request.headers
    return Call(service, operation, read_members(request), leaves)


@lru_cache(128)
def read_target(target: str) -> str:
    """The operation in an ``X-Amz-Target``."""
    found = TARGET.match(target)
    if not found or found[1] not in OPERATIONS:
        raise faults.fault(
            'UnknownOperationException',
            f'X-Amz-Target is {target[:100]!r}, expected SimpleWorkflowService.<operation>',
        )
    return found[1]


def region_of(request: Request) -> str:
    """The region that the request was signed for; empty if it was not."""
    found = SCOPE.search(request.headers.get('authorization', ''))
    return found[1] if found else ''


def read_members(request: Request) -> dict[str, Any]:
    """The members of the request: an object of JSON."""
    encoding = request.headers.get('content-encoding')
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise unreadable(f'Content-Encoding is {encoding[:40]!r}, expected none')
    if not request.body:
        return {}
    return read_object(request.body)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes.

    Raises:
        ServiceError: SerializationException: they are something else.
    """
    try:
        members = decode(body.decode())
    except (ValueError, RecursionError):
        raise unreadable('The body is not JSON in UTF-8') from None
    if not isinstance(members, dict):
        raise unreadable('The body is JSON, but not an object')
    return members


def refuse_constant(name: str) -> float:
    raise ValueError(f'{name} is not JSON')


def read_integer(text: str) -> float:
    """An integer; one of absurdly many digits, which Python would not read, is infinite, and out of every range."""
    if len(text) <= LONGEST_INTEGER:
        return int(text)
    return -math.inf if text.startswith('-') else math.inf


decode = json.JSONDecoder(parse_constant=refuse_constant, parse_int=read_integer).decode
"""Made once, for making it takes as long as reading a small body."""


def unreadable(message: str) -> ServiceError:
    """A request of which SWF says that it cannot be deserialized."""
    return faults.fault('SerializationException', message)


def failure(name: str, error: Exception) -> Reply:
    """The reply to what carrying out a request has raised: no client is left without an answer.

    Args:
        name: Of the operation or the request, for the log.
        error: As it was raised; this is called where it is handled.
    """
    if isinstance(error, ServiceError):
        return refusal(error)
    if isinstance(error, LocalError):  # the file, or a service that was closed: its text says what to do
        LOG.error('%s failed: %s', name, error)  # a full disk is no bug, and needs no traceback
        return refusal(faults.fault('InternalFailure', str(error)))
    LOG.error('%s failed', name, exc_info=error)
    return refusal(faults.fault('InternalFailure', 'The server failed; see its log'))


def carried_out(operation: str, action: Callable[[], str | None]) -> Reply | None:
    """The reply to what the action answers or raises; None where it answers None."""
    try:
        text = action()
    except Exception as error:  # noqa: BLE001 - whoever asked gets it
        return failure(operation, error)
    return None if text is None else Reply(200, text.encode())


def refusal(error: ServiceError) -> Reply:
    """The error document."""
    return Reply(error.status, json.dumps({'__type': error.type, 'message': error.message}).encode())


def seconds_of(members: Mapping[str, Any]) -> float:
    """How far the test wants the clock to be moved.

    Raises:
        ServiceError: ValidationException: by no number of seconds that a clock could be moved by.
    """
    seconds = members.get('advance')
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < math.inf:
        raise faults.invalid(f"Value {str(seconds)[:40]!r} at 'advance' is not a number of seconds from 0")
    return seconds
