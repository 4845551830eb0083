"""Pages of a history after the first, asked for past most of botocore.

Theory of operation. SWF gives a history in pages of 100 to 1,000 events, and botocore spends more on the way of each
request (validation, endpoint rules, hooks, retries) than it takes to read such a page. All of that comes out the same
for every page. So the hook here notes the first page's request just before it is signed: its address, its headers, its
signer. The next page's request is made of these with another body, signed by the same signer, and sent on a session of
its own, which has the client's proxies, certificates, time-outs and pool size, and ``TCP_NODELAY``. Where there is no
proxy, its connections are used directly: see :mod:`genflow.swf.aws.http_exchange`.

Anything out of the ordinary is the client's to handle, with its retries and its errors: another status than 200, a
body that :func:`~genflow.swf.aws.fast_reading.read_page` does not read, a request that fails. And so is everything from
the start where the client signs otherwise than with SigV4, was given another HTTP session, or where a hook that is
neither botocore's nor genflow's could see or change a request.

Whoever reads a history has the next pages fetched while it works on the last one (:class:`PagesAhead`): the token of a
page is searched for in the bytes of the answer before it, so that the request for it is sent before that is parsed,
even where that answer is the client's. Should the parsed page have another token, what was fetched is dropped.
"""

from __future__ import annotations

import json
import queue
import re
import socket
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from attrs import define, field, frozen
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from genflow.swf.aws.http_exchange import HttpExchange
from genflow.swf.wire.events import dated

__all__ = ['OPERATIONS', 'PageRequests', 'PagesAhead']

OPERATIONS = {
    'PollForDecisionTask': 'poll_for_decision_task',
    'GetWorkflowExecutionHistory': 'get_workflow_execution_history',
}
"""The operations whose answers have events, and the client's methods for them."""

OK = 200
SIGNATURE = 'v4'

OURS = 'genflow'
"""In the context of a request that was made here."""

AHEAD = 2
"""The most pages that are fetched before they are wanted."""

EVENTS = (
    'provide-client-params',
    'before-parameter-build',
    'before-endpoint-resolution',
    'before-call',
    'request-created',
    'choose-signer',
    'before-sign',
    'before-send',
    'response-received',
    'before-parse',
    'needs-retry',
    'after-call',
    'after-call-error',
)
"""The events that botocore emits during a call."""

KNOWN = ('botocore', 'boto3', 'genflow')
"""The packages whose hooks do not affect the request of a page."""

NEXT_PAGE = b'"nextPageToken"'
TOKEN = re.compile(NEXT_PAGE + rb'\s*:\s*"([ !#-\[\]-~]+)"')
"""The token of the next page. Inside of a string a quote has a backslash before it, and no event has such a member."""

Page = dict[str, Any]
Reader = Callable[[bytes, Collection[str]], 'Page | None']


class _Request(AWSRequest):  # type: ignore[misc]  # botocore has no types
    """A request whose body the signer finds without preparing the request to be sent."""

    @property
    def body(self) -> bytes:
        found: bytes = self.data
        return found


@frozen
class _Noted:
    """A first page's request, before it was signed."""

    url: str
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    signer: Any
    members: Collection[str]


@define(eq=False)
class PageRequests:
    """Asks for the pages of one client.

    Attributes:
        meta: The client's.
        session: Makes and keeps connections.
        proxies: The client's, by scheme.
        read: Makes a page of a body.
    """

    meta: Any
    session: Any
    proxies: Mapping[str, str]
    read: Reader
    _noted: dict[str, _Noted] = field(factory=dict, init=False)
    _exchanges: dict[str, HttpExchange] = field(factory=dict, init=False)
    _unwatched: dict[str, Any] = field(factory=dict, init=False)
    _waiting: threading.local = field(factory=threading.local, init=False)

    @classmethod
    def of(cls, client: Any, read: Reader) -> PageRequests | None:
        """Those of a client, whose first requests are noted from now on; ``None`` if its sessions are not botocore's.

        Args:
            client: boto3's or botocore's SWF client.
            read: Makes a page of a body and of the names of the answer's members.
        """
        session = _session_like(client)
        if session is None:
            return None
        requests = cls(client.meta, session, _proxies(client.meta), read)
        for name, method in OPERATIONS.items():
            note = partial(requests.note, method=method)
            client.meta.events.register(f'before-sign.swf.{name}', note, unique_id=f'genflow-pages-{name}')
            client.meta.events.register_first(
                f'before-parse.swf.{name}', requests.arrived, unique_id=f'genflow-pages-arrived-{name}'
            )
        return requests

    def note(self, request: Any, request_signer: Any, signature_version: Any, method: str, **_: Any) -> None:
        """Called by botocore with a request that it is about to sign."""
        if OURS in request.context:
            return
        if signature_version != SIGNATURE:
            self._noted.pop(method, None)
            return
        name = self.meta.method_to_api_mapping[method]
        members = self.meta.service_model.operation_model(name).output_shape.members
        self._noted[method] = _Noted(request.url, dict(request.headers), dict(request.context), request_signer, members)

    def arrived(self, response_dict: Mapping[str, Any], **_: Any) -> None:
        """Called by botocore with an answer that it is about to parse."""
        begin = getattr(self._waiting, 'begin', None)
        if begin is not None and response_dict['status_code'] == OK:
            token = _next_token(response_dict['body'])
            if token is not None:
                begin(token)

    def asked(self, ask: Callable[..., Page], request: Mapping[str, Any], begin: Callable[[str], None]) -> Page:
        """The client's answer.

        Args:
            ask: The client's method.
            request: Its arguments.
            begin: Called with the next page's token as soon as the answer is there.
        """
        self._waiting.begin = begin
        try:
            return ask(**request)
        finally:
            self._waiting.begin = None

    def page(self, method: str, request: Mapping[str, Any]) -> Page | None:
        """The next page; ``None`` where the client has to be asked.

        Args:
            method: The client's method for the operation.
            request: Its arguments, the token of the page among them.
        """
        page = self.page_of(method, self.body(method, request))
        if page is not None:
            dated(page['events'])
        return page

    def body(self, method: str, request: Mapping[str, Any], sent: Callable[[], None] = lambda: None) -> bytes | None:
        """The body of the answer with the next page; ``None`` where the client has to be asked.

        Args:
            method: The client's method for the operation.
            request: Its arguments.
            sent: Called once the request has been sent.
        """
        noted = self._noted.get(method)
        if noted is None or not self.is_ready(method):
            return None
        try:
            status, body = self._answer(self._signed(method, noted, request), sent)
        except Exception:  # noqa: BLE001 - the client is asked instead, and says what is wrong
            return None
        return body if status == OK else None

    def page_of(self, method: str, body: bytes | None) -> Page | None:
        """The page that a body holds, its timestamps as they are; ``None`` where the client has to be asked."""
        noted = self._noted.get(method)
        page = None if body is None or noted is None else self.read(body, noted.members)
        if page is not None:
            page['ResponseMetadata'] = {'HTTPStatusCode': OK, 'RetryAttempts': 0}
        return page

    @contextmanager
    def ahead(self, method: str) -> Iterator[PagesAhead]:
        """In the block, pages are fetched before they are wanted.

        At its end, the fetch in flight goes on in its thread, since nothing can interrupt a request; what it brings is
        dropped.

        Args:
            method: The client's method for the operation.
        """
        pages = PagesAhead(self, method)
        try:
            yield pages
        finally:
            pages.close()

    def is_ready(self, method: str) -> bool:
        """Whether a page of this operation can be requested past botocore."""
        return method in self._noted and not self._is_watched(method)

    def close(self) -> None:
        """Closes idle sockets."""
        self._exchanges.clear()
        self.session.close()

    def _signed(self, method: str, noted: _Noted, request: Mapping[str, Any]) -> AWSRequest:
        body = json.dumps(request).encode()
        made = _Request(method='POST', url=noted.url, headers=noted.headers, data=body)
        made.context.update(noted.context, **{OURS: True})
        noted.signer.sign(self.meta.method_to_api_mapping[method], made)
        return made

    def _answer(self, signed: AWSRequest, sent: Callable[[], None]) -> tuple[int, bytes]:
        """The status and the body of the answer to a request."""
        if not self.proxies:
            return self._exchange(signed.url).post(signed.headers.items(), signed.data, sent)
        sent()  # too early, but nobody knows better
        response = self.session.send(signed.prepare())
        return response.status_code, response.content

    def _exchange(self, url: str) -> HttpExchange:
        found = self._exchanges.get(url)
        if found is None:
            pool = self.session._manager.connection_from_url(url)  # noqa: SLF001 - as botocore's session does it
            self.session._setup_ssl_cert(pool, url, self.session._verify)  # noqa: SLF001
            found = self._exchanges[url] = HttpExchange(url, pool, self.meta.config.read_timeout)
        return found

    def _is_watched(self, method: str) -> bool:
        """Whether a hook of the application could see or change a request; cached until hooks change."""
        registrations = _registrations(self.meta.events)
        if registrations is not None and registrations is self._unwatched.get(method):
            return False
        if self._has_hooks(method):
            return True
        self._unwatched[method] = registrations
        return False

    def _has_hooks(self, method: str) -> bool:
        operation = self.meta.method_to_api_mapping[method]
        return not all(
            _is_known(handler)
            for event in EVENTS
            for handler in _handlers(self.meta.events, f'{event}.swf.{operation}')
        )


@define(eq=False)
class _Fetching:
    """A thread that fetches one page after the other.

    It requests a page as soon as the token is there, and delivers the page that names it when the request is sent: were
    a waiting thread woken before, it would take the interpreter, and the request had to wait until that has parsed and
    replayed a page. No more than :data:`AHEAD` pages are fetched that nobody has taken.

    Attributes:
        requests: Those of the client.
        method: The client's method.
        request: Asks for the first of the pages.
        expected: The token of the page that :meth:`take` gives next; ``None`` where it gives no more.
    """

    requests: PageRequests
    method: str
    request: Mapping[str, Any]
    expected: str | None = field(init=False)
    _room: threading.Semaphore = field(factory=lambda: threading.Semaphore(AHEAD), init=False)
    _bodies: queue.SimpleQueue[bytes | None] = field(factory=queue.SimpleQueue, init=False)
    _fetched: list[bytes | None] = field(factory=list, init=False)
    _is_over: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.expected = self.request['nextPageToken']

    def start(self) -> None:
        """Begins.

        Raises:
            RuntimeError: No more threads can be started.
        """
        threading.Thread(target=self._fetch, name='genflow-pages', daemon=True).start()

    def take(self) -> bytes | None:
        """The next body, once it is there; ``None`` where the client has to be asked for its page."""
        body = self._bodies.get()
        self._room.release()
        self.expected = _next_token(body)
        return body

    def stop(self) -> None:
        """Ends the thread, after the fetch in flight."""
        self._is_over = True
        self._room.release()

    def _fetch(self) -> None:
        token = self.expected
        try:
            while token is not None and self._has_room():
                body = self.requests.body(self.method, {**self.request, 'nextPageToken': token}, self._deliver)
                self._deliver()
                self._fetched.append(body)
                token = _next_token(body)
        finally:  # a waiter must be notified in any case
            self._deliver()
            self._bodies.put(None)

    def _has_room(self) -> bool:
        """Waits until another page may be fetched; returns false if none is wanted any more."""
        if not self._room.acquire(blocking=False):
            self._deliver()
            self._room.acquire()
        return not self._is_over

    def _deliver(self) -> None:
        while self._fetched:
            self._bodies.put(self._fetched.pop(0))


@define(eq=False)
class PagesAhead:
    """The pages of one history, fetched on a thread while the ones before are worked on.

    What goes wrong in the thread is found by the caller, who has the client asked for the page instead, as ever. The
    page after that one is fetched ahead again.

    Attributes:
        requests: Those of the client.
        method: The client's method.
    """

    requests: PageRequests
    method: str
    _fetching: _Fetching | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def page(self, ask: Callable[..., Page], **request: Any) -> Page:
        """A page; those that follow it are on their way then.

        Args:
            ask: The client's method.
            **request: Its arguments.
        """

        def begin(token: str) -> None:
            self._begin({**request, 'nextPageToken': token})

        page = self._fetched(request.get('nextPageToken'))
        if page is None:
            page = self.requests.asked(ask, request, begin)
        following = page.get('nextPageToken')
        if following:
            begin(following)
        return page

    def close(self) -> None:
        """Ends the thread, after the fetch in flight; no other is started."""
        with self._lock:
            self._is_over = True
            self._stop()

    def _begin(self, request: Mapping[str, Any]) -> None:
        """Starts to fetch a page, and those after it, unless it is being fetched."""
        with self._lock:
            if self._fetching is not None and self._fetching.expected == request['nextPageToken']:
                return
            self._stop()
            if self._is_over or not self.requests.is_ready(self.method):  # over: a call that was abandoned comes back
                return
            fetching = _Fetching(self.requests, self.method, request)
            try:
                fetching.start()
            except RuntimeError:  # no more threads can be started: the client is asked for the page
                return
            self._fetching = fetching

    def _stop(self) -> None:
        fetching, self._fetching = self._fetching, None
        if fetching is not None:
            fetching.stop()

    def _fetched(self, token: str | None) -> Page | None:
        """The page with this token, if it is the one that comes next."""
        fetching = self._fetching
        if token is None or fetching is None or fetching.expected != token:
            return None
        return self.requests.page_of(self.method, fetching.take())


def _next_token(body: bytes | None) -> str | None:
    place = -1 if body is None else body.rfind(NEXT_PAGE)  # a regular expression alone takes ten times as long
    while body is not None and place >= 0:
        found = TOKEN.match(body, place)
        if found is not None:
            return found[1].decode()
        place = body.rfind(NEXT_PAGE, 0, place)
    return None


def _session_like(client: Any) -> Any:
    """A session with the settings of the client's own; ``None`` if that is not one that botocore makes."""
    own: Any = getattr(getattr(client, '_endpoint', None), 'http_session', None)
    if type(own) is not URLLib3Session or not hasattr(own, '_verify'):
        return None
    config = client.meta.config
    return URLLib3Session(
        verify=own._verify,  # noqa: SLF001 - the one setting of a client that nothing public tells
        proxies=_proxies(client.meta),
        timeout=(config.connect_timeout, config.read_timeout),
        max_pool_connections=config.max_pool_connections,
        socket_options=_socket_options(keepalive=bool(config.tcp_keepalive)),
        client_cert=config.client_cert,
        proxies_config=config.proxies_config,
    )


def _proxies(meta: Any) -> Mapping[str, str]:
    chosen: Mapping[str, str] | None = meta.config.proxies
    return get_environ_proxies(meta.endpoint_url) if chosen is None else chosen


def _socket_options(*, keepalive: bool) -> list[tuple[int, int, int]]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    return [*options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] if keepalive else options


def _registrations(emitter: Any) -> Any:
    """An object that is another one once a hook was registered or taken away; ``None`` where there is none such."""
    return getattr(getattr(emitter, '_emitter', emitter), '_lookup_cache', None)


def _handlers(emitter: Any, event: str) -> Iterator[Any]:
    """Whoever is registered for an event; something unknown where the emitter is none of botocore's."""
    inner = getattr(emitter, '_emitter', emitter)
    search = getattr(getattr(inner, '_handlers', None), 'prefix_search', None)
    return iter([emitter]) if search is None else iter(search(event))


def _is_known(handler: Any) -> bool:
    while isinstance(handler, partial):
        handler = handler.func
    module = str(getattr(handler, '__module__', ''))
    return module.partition('.')[0] in KNOWN and module != 'botocore.stub'
