"""AWS JSON 1.0: reads the operation and its members from an HTTP request, and writes the answer.

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
"""The longest integer, in characters, that is read exactly; a longer one is read as infinite."""

LEAVES = 'x-genflow-leaves'
"""A header of a poll whose sender is about to leave: its other polls (same list and identity) are answered at once."""

ENCODINGS = frozenset({'', 'amz-1.0', 'identity'})
"""Values of ``Content-Encoding`` that are no compression; boto 2 sends ``amz-1.0``."""


class Reply(NamedTuple):
    """A response without the headers that every response has."""

    status: int
    body: bytes
    content_type: str = CONTENT_TYPE


class Call(NamedTuple):
    """A request for one operation of one service.

    Attributes:
        service: The service that carries it out.
        operation: The name of the operation in SWF's API.
        members: The members of the request, not checked yet.
        leaves: Whether it is a poll with :data:`LEAVES`: it ends the earlier polls of its sender, and does not wait.
    """

    service: Served
    operation: str
    members: dict[str, Any]
    leaves: bool = False

    @property
    def is_poll(self) -> bool:
        """Whether it takes a task; a poll with a page token only reads the next page."""
        return self.operation in POLLS and not self.members.get('nextPageToken')


def read_call(request: Request, services: Mapping[str, Served], default: Served) -> Call:
    """The call that a request makes.

    Args:
        request: The request.
        services: By region, the services for requests that are signed for that region.
        default: The service for all other requests.

    Raises:
        ServiceError: ``UnknownOperationException`` or ``SerializationException``: the request names no operation, or
            has no JSON object.
    """
    operation = read_target(request.headers.get('x-amz-target', ''))
    service = services.get(region_of(request), default) if services else default
    leaves = operation in POLLS and LEAVES in request.headers
    return Call(service, operation, read_members(request), leaves)


@lru_cache(128)
def read_target(target: str) -> str:
    """The operation that an ``X-Amz-Target`` names.

    Raises:
        ServiceError: ``UnknownOperationException``: it names none of SWF's.
    """
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
    """The members of the request, a JSON object; an empty body has none.

    Raises:
        ServiceError: ``SerializationException``: the body is no JSON object, or is compressed.
    """
    encoding = request.headers.get('content-encoding')
    if encoding is not None and encoding.lower() not in ENCODINGS:
        raise unreadable(f'Content-Encoding is {encoding[:40]!r}, expected none')
    if not request.body:
        return {}
    return read_object(request.body)


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in these bytes.

    Raises:
        ServiceError: ``SerializationException``: they are no JSON object in UTF-8.
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
"""Made once, because making it takes as long as reading a small body."""


def unreadable(message: str) -> ServiceError:
    """SWF's error for a request that cannot be deserialized."""
    return faults.fault('SerializationException', message)


def failure(name: str, error: Exception) -> Reply:
    """The reply if a request raised an error, so that every client gets an answer.

    An error that is neither SWF's nor about the file is logged with its traceback, and answered as ``InternalFailure``.

    Args:
        name: The operation or the path, for the log.
        error: The exception that is being handled.
    """
    if isinstance(error, ServiceError):
        return refusal(error)
    if isinstance(error, LocalError):  # the file, or a service that was closed: its text says what to do
        LOG.error('%s failed: %s', name, error)  # a full disk is no bug, and needs no traceback
        return refusal(faults.fault('InternalFailure', str(error)))
    LOG.error('%s failed', name, exc_info=error)
    return refusal(faults.fault('InternalFailure', 'The server failed; see its log'))


def carried_out(operation: str, action: Callable[[], str | None]) -> Reply | None:
    """The reply with what an action returns or raises; ``None`` if it returns ``None``."""
    try:
        text = action()
    except Exception as error:  # noqa: BLE001 - whoever asked gets it
        return failure(operation, error)
    return None if text is None else Reply(200, text.encode())


def refusal(error: ServiceError) -> Reply:
    """The reply with SWF's error document."""
    return Reply(error.status, json.dumps({'__type': error.type, 'message': error.message}).encode())


def seconds_of(members: Mapping[str, Any]) -> float:
    """The seconds by which a test moves the clock, from 0.

    Raises:
        ServiceError: ``ValidationException``: ``advance`` is not such a number.
    """
    seconds = members.get('advance')
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < math.inf:
        raise faults.invalid(f"Value {str(seconds)[:40]!r} at 'advance' is not a number of seconds from 0")
    return seconds
