"""Reads histories from the response body without botocore's parser.

Theory of operation. botocore walks through every member of every event by the model and gives each timestamp the local
zone, which costs ten times what reading the JSON does; and reading is nearly all that a cold decision costs. botocore
emits ``before-parse.swf.<Operation>`` with the body of each answer, after its retries. The hook here reads the body in
one go and leaves an empty object for botocore to parse. A timestamp stays a number of seconds as long as only genflow
sees it; an application that calls the client gets datetimes, and so does code that is given events.

A page that is in any way out of the ordinary is left to botocore, untouched: another status than 200, no JSON, an
object without a list of events, a null member, a timestamp that is no number. So errors and odd answers stay botocore's
own. What differs is that timestamps are in UTC, and that members of an event that the client's model does not know are
there. The hook belongs to one client; other clients of its session know nothing of it. A botocore that does not emit
the event parses as ever.

Pages after the first are read in the same way, but are asked for past most of botocore: see
:mod:`genflow.swf.aws.page_requests`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Sequence
from importlib import import_module
from typing import Any, TypeVar

from genflow.swf.aws.fast_clients import page_requests_of, remember
from genflow.swf.aws.page_requests import OPERATIONS, PageRequests
from genflow.swf.wire.events import dated

__all__ = ['fast', 'read_page']

Client = TypeVar('Client')

Decode = Callable[[bytes], Any]

OK = 200

NUMBERS = frozenset({int, float})

FIRST, LAST = -62_135_596_800, 253_402_300_799
"""The first and the last second that a datetime in UTC can hold."""

NULL = b'null'
NULL_MEMBER = re.compile(rb'(?<!\\)"\s*:\s*null\b')
"""botocore leaves null members out. Inside of a string a quote has a backslash before it."""


def _decoder() -> Decode:
    """The one of orjson where it is installed (the extra ``fast``), else that of the standard library."""
    try:
        orjson = import_module('orjson')
    except ImportError:
        return json.loads
    loads: Decode = orjson.loads
    return loads


DECODE = _decoder()
"""Reads JSON."""


def fast(client: Client) -> Client:
    """Makes a boto3 client read histories in a fraction of the time, and returns it.

    Clients that genflow creates do so already; a client of the application is changed only if it is passed to this
    function. ``eventTimestamp`` is then in UTC instead of the machine's zone.

    Args:
        client: boto3's or botocore's SWF client; changed.
    """
    meta = client.meta  # type: ignore[attr-defined]
    for operation in OPERATIONS:
        meta.events.register(f'before-parse.swf.{operation}', _read, unique_id=f'genflow-fast-{operation}')
    if page_requests_of(client) is None:
        requests = PageRequests.of(client, read_page)
        if requests is not None:
            remember(client, requests)
    return client


def _read(
    operation_model: Any, response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    """Called by botocore with a response that it is about to parse."""
    if response_dict['status_code'] != OK:
        return
    page = read_page(response_dict['body'], operation_model.output_shape.members)
    if page is not None:
        dated(page['events'])
        response_dict['body'] = b'{}'
        customized_response_dict.update({**page, **customized_response_dict})


def read_page(body: bytes, members: Collection[str]) -> dict[str, Any] | None:
    """A page of a history as botocore would return it, but with numbers as timestamps.

    ``None`` if botocore has to parse it.

    Args:
        body: Of an answer with status 200.
        members: Names that the response can have; others are left out.
    """
    if body.rfind(NULL) >= 0 and NULL_MEMBER.search(body):  # from the right: half the time of `in`
        return None
    try:
        page = DECODE(body)
        events = page['events']
        if type(events) is not list or not _are_moments([event['eventTimestamp'] for event in events]):
            return None
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        return None
    return {name: value for name, value in page.items() if name in members}


def _are_moments(stamps: Sequence[Any]) -> bool:
    """Whether each is a number of seconds since 1970 that a datetime can hold."""
    return not stamps or (
        NUMBERS.issuperset(map(type, stamps))
        and math.isfinite(sum(stamps))  # no member is NaN, whose place in an order is undefined
        and min(stamps) >= FIRST
        and max(stamps) <= LAST
    )
