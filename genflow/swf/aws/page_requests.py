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

Whoever reads a whole history has the next page fetched while the last one is parsed (:class:`PagesAhead`): its token is
searched for in the bytes of the answer.
"""

from __future__ import annotations

import json
import queue
import re
import socket
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from attrs import define, field, frozen

__all__ = ['OPERATIONS', 'PAGED', 'PageRequests', 'PagesAhead', 'page_requests_of', 'remember']

OPERATIONS = {
    'PollForDecisionTask': 'poll_for_decision_task',
    'GetWorkflowExecutionHistory': 'get_workflow_execution_history',
}
"""The operations whose answers have events, and the client's methods for them."""

PAGED = frozenset(OPERATIONS.values())
"""These methods."""

OK = 200
SIGNATURE = 'v4'

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

NEXT_PAGE = re.compile(rb'(?<!\\)"nextPageToken"\s*:\s*"([ !#-\[\]-~]+)"')
"""The token of the next page. Inside of a string a quote has a backslash before it, and no event has such a member."""

Page = dict[str, Any]
Reader = Callable[[bytes, Collection[str]], 'Page | None']


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
        return self.page_of(method, self.body(method, request))

    def body(self, method: str, request: Mapping[str, Any]) -> bytes | None:
        """The body of the answer with the next page; ``None`` where the client has to be asked."""
        noted = self._noted.get(method)
        if noted is None or self._is_watched(method):
            return None
        try:
            response = self.session.send(self._signed(method, noted, request))
        except Exception:  # noqa: BLE001 - the client is asked instead, and says what is wrong
            return None
        body: bytes = response.content
        return body if response.status_code == OK else None

    def page_of(self, method: str, body: bytes | None) -> Page | None:
        """The page that a body holds; ``None`` where the client has to be asked."""
        noted = self._noted.get(method)
        page = None if body is None or noted is None else self.read(body, noted.members)
        if page is not None:
            page['ResponseMetadata'] = {'HTTPStatusCode': OK, 'RetryAttempts': 0}
        return page

    @contextmanager
    def ahead(self, method: str) -> Iterator[PagesAhead]:
        """In the block, the next page is fetched while the last one is parsed.

        An exception or an early end of the block waits for the fetch in flight. Only Ctrl-C does not: nothing can
        interrupt a request, so its thread ends with it, at the latest after the client's own time-outs.
        """
        pages = PagesAhead(self, method)
        try:
            yield pages
        except KeyboardInterrupt:
            pages.close(wait=False)
            raise
        finally:
            pages.close()

    def close(self) -> None:
        """Closes idle sockets."""
        self.session.close()

    def _signed(self, method: str, noted: _Noted, request: Mapping[str, Any]) -> Any:
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - loaded by the client, which is there

        body = json.dumps(request).encode()
        made = AWSRequest(method='POST', url=noted.url, headers=noted.headers, data=body)
        made.context.update(noted.context)
        noted.signer.sign(self.meta.method_to_api_mapping[method], made)
        return made.prepare()

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
class PagesAhead:
    """The pages of one history, each fetched on a thread of its own while the one before is parsed.

    There is one thread, from the first page that names a next one. It goes on by itself once the page that it fetched
    last is wanted, so it is at most one page ahead. What goes wrong in it is found by the caller, who has the client
    asked for the page instead, as ever.

    Attributes:
        requests: Those of the client.
        method: The client's method.
    """

    requests: PageRequests
    method: str
    _next: str | None = field(default=None, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)
    _wanted: queue.SimpleQueue[bool] = field(factory=queue.SimpleQueue, init=False)
    _bodies: queue.SimpleQueue[bytes | None] = field(factory=queue.SimpleQueue, init=False)

    def page(self, method: str, request: Mapping[str, Any]) -> Page | None:
        """As :meth:`PageRequests.page`; starts to fetch the page after it."""
        if self._next == request['nextPageToken']:
            self._wanted.put(True)
            body = self._bodies.get()
            self._next = _next_token(body)
        else:
            self.close()
            body = self.requests.body(method, request)
            following = _next_token(body)
            if following is not None:
                self._start({**request, 'nextPageToken': following})
        return self.requests.page_of(method, body)

    def close(self, *, wait: bool = True) -> None:
        """Ends the thread, after the fetch in flight."""
        thread, self._thread, self._next = self._thread, None, None
        if thread is not None:
            self._wanted.put(False)
            if wait:
                thread.join()

    def _start(self, request: Mapping[str, Any]) -> None:
        self._wanted, self._bodies = queue.SimpleQueue(), queue.SimpleQueue()
        arguments = (request, self._wanted, self._bodies)
        self._thread = threading.Thread(target=self._fetch, args=arguments, name='genflow-pages', daemon=True)
        try:
            self._thread.start()
            self._next = request['nextPageToken']
        except RuntimeError:  # no more threads can be started: the caller fetches the page itself
            self._thread = None

    def _fetch(
        self, request: Mapping[str, Any], wanted: queue.SimpleQueue[bool], bodies: queue.SimpleQueue[bytes | None]
    ) -> None:
        """Fetches a page and those after it, each once the one before is wanted."""
        token: str | None = request['nextPageToken']
        while token is not None:
            body = None
            try:
                body = self.requests.body(self.method, {**request, 'nextPageToken': token})
            finally:
                bodies.put(body)  # a waiter must be notified in any case
            token = _next_token(body) if wanted.get() else None


def _next_token(body: bytes | None) -> str | None:
    found = None if body is None else NEXT_PAGE.search(body)
    return None if found is None else found[1].decode()


_REQUESTS: weakref.WeakKeyDictionary[Any, PageRequests] = weakref.WeakKeyDictionary()


def remember(client: Any, requests: PageRequests) -> None:
    """Has :func:`page_requests_of` find those of a client, as long as it lives."""
    _REQUESTS[client] = requests


def page_requests_of(client: Any) -> PageRequests | None:
    """Those of a client; ``None`` for clients that no :func:`~genflow.swf.fast` was called with."""
    try:
        return _REQUESTS.get(client)
    except TypeError:  # neither hashable nor referable: none of botocore's
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
