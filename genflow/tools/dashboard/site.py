"""What every page is made with: the source and what is remembered of it, the templates, answers to errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any

import jinja2
from attrs import define, field
from botocore.exceptions import BotoCoreError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from genflow.core.errors import GenflowError, HistoryError
from genflow.core.model.registry import WorkflowSpec
from genflow.core.payloads.envelopes import input_of
from genflow.insight import duration
from genflow.insight.command_line import quoted
from genflow.local.errors import StoreError
from genflow.swf.aws import error_hints, faults
from genflow.tools.current_folder import shown_place
from genflow.tools.dashboard.data.actions import Refusal
from genflow.tools.dashboard.data.executions import Index
from genflow.tools.dashboard.data.runs import Causes, Runs
from genflow.tools.dashboard.data.source import Source
from genflow.tools.dashboard.events.event_rows import mark_of
from genflow.tools.dashboard.links import ZONES, Links, zone_of
from genflow.tools.dashboard.security import Policy
from genflow.tools.executions.gathering import spec_of_type
from genflow.tools.pictures.svg import tone_of
from genflow.tools.text.printable import printable

__all__ = ['FOLDER', 'Handler', 'NotFound', 'Site', 'Streams', 'answering', 'explained', 'is_expected', 'status_of']

FOLDER = Path(__file__).parent


class NotFound(Exception):
    """There is no such page, execution or event."""


@define
class Streams:
    """The open streams of events, which a server that stops ends itself."""

    _open: set[asyncio.Event] = field(factory=set)

    @contextmanager
    def one(self) -> Iterator[asyncio.Event]:
        """One more stream; gives what is set when it shall end."""
        event = asyncio.Event()
        self._open.add(event)
        try:
            yield event
        finally:
            self._open.discard(event)

    def end(self) -> None:
        """Have them all end; to be called on the thread of their loop."""
        for event in self._open:
            event.set()


@define
class Site:
    """A dashboard of one source.

    Attributes:
        source: The service or folder that this dashboard shows.
        policy: What is allowed.
        spec: The class that the target names; others that it imports are found by their types.
        has_target: Whether there is a target.
        streams: Its streams of events.
    """

    source: Source
    policy: Policy
    spec: WorkflowSpec | None = None
    has_target: bool = False
    streams: Streams = field(factory=Streams)
    runs: Runs = field(init=False)
    causes: Causes = field(init=False)
    _indexes: dict[str, Index] = field(factory=dict)
    _templates: jinja2.Environment = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.runs = Runs(self.source)
        self.causes = Causes(self.source, self.runs)
        self._templates = templates()

    def index(self, domain: str) -> Index:
        """The executions of a domain."""
        return self._indexes.setdefault(domain, Index(self.source, domain))

    def spec_of(self, name: str, version: str) -> WorkflowSpec | None:
        """The class of a workflow type, if the target has it."""
        spec = self.spec
        return (
            spec if spec is not None and (spec.name, spec.version) == (name, version) else spec_of_type(name, version)
        )

    def links(self, request: Request) -> Links:
        params = request.query_params
        name, zone = zone_of(params.get('tz', ''))
        domain = params.get('domain') or self.source.domain
        return Links(domain, self.source.domain, name, zone, self.source.clock())

    def render(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page."""
        return HTMLResponse(self.text(request, template, status=int(status), **values), status)

    def text(self, request: Request, template: str, **values: Any) -> str:
        """The HTML of a page; lone surrogates, which files may hold, have no place in UTF-8."""
        text = self._templates.get_template(template).render(**self.context(request), **values)
        return text.encode('utf-8', 'replace').decode()

    def context(self, request: Request) -> dict[str, Any]:
        """What every template may use."""
        links = self.links(request)
        return {
            'link': links,
            'source': self.source,
            'may_write': self.policy.may_write,
            'has_token': self.policy.token is not None,
            'path': request.url.path,
            'query': dict(request.query_params),
            'parameters': request.query_params.multi_items(),
            'zones': ZONES if links.zone_name in ZONES else (*ZONES, links.zone_name),
        }


def templates() -> jinja2.Environment:
    """The templates; whatever is put into them is escaped."""
    loader = jinja2.FileSystemLoader(FOLDER / 'templates')
    found = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    found.lstrip_blocks = True
    found.filters |= {
        'duration': duration,
        'mark': mark_of,
        'tone': tone_of,
        'printable': printed,
        'quoted': quoted,
        'input_of': input_of,
        'place': shown_place,
    }
    return found


def printed(value: Any) -> str:
    return printable(str(value))


Handler = Callable[[Site, Request], Response]


def answering(site: Site, handler: Handler) -> Callable[[Request], Response]:
    """A handler for one site; what is expected to go wrong becomes a page that says what to do."""

    @wraps(handler)
    def answer(request: Request) -> Response:
        try:
            return handler(site, request)
        except Exception as error:
            if not is_expected(error):
                raise
            status = status_of(error)
            return site.render(request, 'error.html', status, text=explained(error))

    return answer


def is_expected(error: Exception) -> bool:
    """Whether an error is one of the service, of the network or of what was asked for."""
    known = (NotFound, Refusal, GenflowError, StoreError, BotoCoreError, ValueError)
    return isinstance(error, known) or faults.code_of(error) is not None or faults.is_transient(error)


def status_of(error: Exception) -> int:
    """The HTTP status that says it."""
    if isinstance(error, NotFound) or faults.code_of(error) == 'UnknownResourceFault':
        return HTTPStatus.NOT_FOUND
    if isinstance(error, BotoCoreError) or faults.is_transient(error) or faults.is_timeout(error):
        return HTTPStatus.SERVICE_UNAVAILABLE
    if isinstance(error, HistoryError):
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return HTTPStatus.CONFLICT if isinstance(error, Refusal) else HTTPStatus.BAD_REQUEST


def explained(error: Exception, **request: Any) -> str:
    """What went wrong, and the way out."""
    if faults.code_of(error) is None and not isinstance(error, BotoCoreError):
        return str(error)
    return error_hints.explained(error, **request)
