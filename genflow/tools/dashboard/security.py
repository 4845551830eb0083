"""Access control, checked before any page is made.

* ``Host`` has to be one of ours, so that no foreign name that resolves to this address (DNS rebinding) reaches a page.
* A request that changes something comes from a page of ours: its ``Origin`` is our address.
* Beyond the loopback interface, and wherever a token was given, requests need it: as a cookie that is sent to us only
  from pages of ours (``SameSite=Strict``), or as ``Authorization: Bearer``.
* Pages run only our own script and style, and cannot be framed.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from attrs import field, frozen
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ['COOKIE', 'HEADERS', 'Guard', 'Policy', 'is_loopback', 'logged_in']

COOKIE = 'genflow_dashboard'

HEADERS = {
    'content-security-policy': (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
}

READS = frozenset({'GET', 'HEAD'})

_HOST = re.compile(r'(?P<name>[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?')

PUBLIC = ('/login', '/static/')
"""The paths that need no login."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == 'localhost':
        return True
    try:
        return ipaddress.ip_address(host.strip('[]')).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip('[]'))
    except ValueError:
        return False
    return True


def digest(text: str) -> bytes:
    """A digest of fixed length, so that a comparison does not reveal the length of the token."""
    return hashlib.sha256(text.encode('utf-8', 'surrogateescape')).digest()


@frozen
class Policy:
    """What is allowed.

    Attributes:
        host: The address that is listened on.
        token: What requests need; ``None`` where they need nothing.
        may_write: Whether anything may be changed.
        names: Further host names under which the dashboard is known.
    """

    host: str = '127.0.0.1'
    token: str | None = field(default=None, repr=False)
    may_write: bool = False
    names: tuple[str, ...] = ()

    def knows(self, host: str) -> bool:
        """Whether a ``Host`` header names us."""
        match = _HOST.fullmatch(host)
        name = match['name'].lower() if match else ''
        if is_loopback(self.host):
            return is_loopback(name) or name in self.names
        return is_address(name) or name in (*self.names, self.host, socket.gethostname().lower(), 'localhost')

    def proof(self) -> str:
        """What the cookie holds: not the token itself, which people may use elsewhere too."""
        return hmac.new((self.token or '').encode(), b'genflow dashboard', hashlib.sha256).hexdigest()

    def is_token(self, text: str) -> bool:
        """Whether somebody knows the token; takes as long for every wrong one."""
        return self.token is not None and hmac.compare_digest(digest(text), digest(self.token))

    def admits(self, headers: Headers) -> bool:
        """Whether a request comes from somebody who has logged in, or nobody has to."""
        if self.token is None:
            return True
        scheme, _, text = headers.get('authorization', '').partition(' ')
        if scheme.lower() == 'bearer' and self.is_token(text.strip()):
            return True
        return hmac.compare_digest(digest(_cookie(headers)), digest(self.proof()))


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get('cookie', '')).get(COOKIE)
    except CookieError:
        return ''
    return '' if found is None else found.value


def is_own(headers: Headers) -> bool:
    """Whether a request that changes something comes from a page of ours, or from no page at all."""
    if headers.get('sec-fetch-site', 'same-origin') not in ('same-origin', 'none'):
        return False
    origin = headers.get('origin')
    return origin is None or origin.partition('://')[2] == headers.get('host')


Refusal = tuple[int, str]


@frozen
class Guard:
    """An ASGI application that asks the policy before another one is asked.

    Attributes:
        app: What answers.
        policy: What is allowed.
    """

    app: ASGIApp
    policy: Policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope['type'] != 'http':
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope)
        await (self.app if answer is None else answer)(scope, receive, with_headers(send))

    def _answer(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        for is_wrong, (status, text) in self._refusals(scope, headers):
            if is_wrong():
                return PlainTextResponse(f'{text}\n', status)
        path: str = scope['path']
        if path.startswith(PUBLIC) or self.policy.admits(headers):
            return None
        return self._log_in(scope, path)

    def _refusals(self, scope: Scope, headers: Headers) -> Iterable[tuple[Callable[[], bool], Refusal]]:
        host, changes = headers.get('host', ''), scope['method'] not in READS
        yield lambda: not self.policy.knows(host), (421, f'{host[:100]!r} is not the address of this dashboard.')
        yield lambda: changes and not is_own(headers), (403, 'This request comes from a page of another site.')

    def _log_in(self, scope: Scope, path: str) -> ASGIApp:
        """Somebody without a cookie: with the token in the address, as a link has it, or to be asked for it."""
        given = parse_qs(scope['query_string'].decode('latin-1')).get('token', [''])[0]
        if scope['method'] in READS and self.policy.is_token(given):
            return logged_in(self.policy, path)
        if scope['method'] not in READS or path != '/':
            return PlainTextResponse(
                'Log in first: open / in a browser, or send the header Authorization: Bearer TOKEN.\n', 401
            )
        return RedirectResponse('/login', 303)


def logged_in(policy: Policy, to: str = '/') -> RedirectResponse:
    """The answer to somebody who knows the token."""
    answer = RedirectResponse(to if to.startswith('/') and not to.startswith('//') else '/', 303)
    answer.set_cookie(COOKIE, policy.proof(), httponly=True, samesite='strict', path='/')
    return answer


def with_headers(send: Send) -> Any:
    """Adds the headers that every answer has."""

    async def sent(message: Message) -> None:
        if message['type'] == 'http.response.start':
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
