"""Pages of a history after the first, asked for past most of botocore.

Theory of operation. SWF gives a history in pages of 100 to 1,000 events, and botocore spends more on the way of each
request (validation, endpoint rules, hooks, retries) than it takes to read such a page. All of that comes out the same
for every page. So the hook here notes the first page's request just before it is signed: its address, its headers, its
signer. The next page's request is made of these with another body, signed by the same signer, and sent on a session of
its own, which has the client's proxies, certificates, time-outs and pool size, and ``TCP_NODELAY``: botocore's sessions
lack it, and headers and body of a request are two packets, so that the second may wait for an acknowledgment.

Anything out of the ordinary is the client's to handle, with its retries and its errors: another status than 200, a
body that :func:`~genflow.swf.aws.fast_reading.read_page` does not read, a request that fails. And so is everything from
the start where the client signs otherwise than with SigV4, was given another HTTP session, or where a hook that is
neither botocore's nor genflow's could see or change a request.

Whoever reads a history has the next pages fetched while it works on the last one (:class:`PagesAhead`): the token of a
page is searched for in the bytes of the answer before it, so that the request for it is sent before that is parsed.
"""

from __future__ import annotations

import io
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


class _SentBody(io.BytesIO):
    """The body of a request, which tells that it has been sent: whoever sends it comes to its end then."""

    def __init__(self, body: bytes, sent: Callable[[], None]) -> None:
        super().__init__(body)
        self._sent = sent

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if not found:
            self._sent()
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
        session: What requests are sent on.
        read: Makes a page of a body.
    """

    meta: Any
    session: Any
    read: Reader
    _noted: dict[str, _Noted] = field(factory=dict, init=False)
    _unwatched: dict[str, Any] = field(factory=dict, init=False)

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
        requests = cls(client.meta, session, read)
        for name, method in OPERATIONS.items():
            note = partial(requests.note, method=method)
            client.meta.events.register(f'before-sign.swf.{name}', note, unique_id=f'genflow-pages-{name}')
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
            signed = self._signed(method, noted, request)
            signed.body = _SentBody(signed.body, sent)
            response = self.session.send(signed)
        except Exception:  # noqa: BLE001 - the client is asked instead, and says what is wrong
            return None
        body: bytes = response.content
        return body if response.status_code == OK else None

    def page_of(self, method: str, body: bytes | None) -> Page | None:
        """The page that a body holds, its timestamps as they are; ``None`` where the client has to be asked."""
        noted = self._noted.get(method)
        page = None if body is None or noted is None else self.read(body, noted.members)
        if page is not None:
            page['ResponseMetadata'] = {'HTTPStatusCode': OK, 'RetryAttempts': 0}
        return page

    @contextmanager
    def ahead(self, method: str, request: Mapping[str, Any] | None = None) -> Iterator[PagesAhead]:
        """In the block, pages are fetched before they are wanted.

        At its end, the fetch in flight goes on in its thread, since nothing can interrupt a request; what it brings is
        dropped.

        Args:
            method: The client's method for the operation.
            request: Its arguments for the first page that will be wanted, if it is known.
        """
        pages = PagesAhead(self, method)
        if request is not None:
            pages.begin(request)
        try:
            yield pages
        finally:
            pages.close()

    def is_ready(self, method: str) -> bool:
        """Whether a page of this operation can be requested past botocore."""
        return method in self._noted and not self._is_watched(method)

    def close(self) -> None:
        """Closes idle sockets."""
        self.session.close()

    def _signed(self, method: str, noted: _Noted, request: Mapping[str, Any]) -> Any:
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - loaded by the client, which is there

        body = json.dumps(request).encode()
        made = AWSRequest(method='POST', url=noted.url, headers=noted.headers, data=body)
        made.context.update(noted.context, **{OURS: True})
        noted.signer.sign(self.meta.method_to_api_mapping[method], made)
        signed = made.prepare()
        signed.headers = dict(signed.headers)  # botocore's own takes a fifth of the time that sending takes
        return signed

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

    def page(self, ask: Callable[..., Page], **request: Any) -> Page:
        """A page; those that follow it are on their way then.

        Args:
            ask: The client's method.
            **request: Its arguments.
        """
        page = self._fetched(request.get('nextPageToken'))
        if page is None:
            page = ask(**request)
        following = page.get('nextPageToken')
        if following and (self._fetching is None or self._fetching.expected != following):
            self.begin({**request, 'nextPageToken': following})
        return page

    def begin(self, request: Mapping[str, Any]) -> None:
        """Starts to fetch a page, and those after it."""
        self.close()
        if not self.requests.is_ready(self.method):
            return
        fetching = _Fetching(self.requests, self.method, request)
        try:
            fetching.start()
        except RuntimeError:  # no more threads can be started: the client is asked for the page
            return
        self._fetching = fetching

    def close(self) -> None:
        """Ends the thread, after the fetch in flight."""
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
    from botocore.httpsession import URLLib3Session  # noqa: PLC0415 - loaded by the client, which is there

    own: Any = getattr(getattr(client, '_endpoint', None), 'http_session', None)
    if type(own) is not URLLib3Session or not hasattr(own, '_verify'):
        return None
    config, address = client.meta.config, client.meta.endpoint_url
    return URLLib3Session(
        verify=own._verify,  # noqa: SLF001 - the one setting of a client that nothing public tells
        proxies=_proxies(config, address),
        timeout=(config.connect_timeout, config.read_timeout),
        max_pool_connections=config.max_pool_connections,
        socket_options=_socket_options(keepalive=bool(config.tcp_keepalive)),
        client_cert=config.client_cert,
        proxies_config=config.proxies_config,
    )


def _proxies(config: Any, address: str) -> Any:
    from botocore.utils import get_environ_proxies  # noqa: PLC0415 - loaded by the client, which is there

    return get_environ_proxies(address) if config.proxies is None else config.proxies


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
