"""Admission of requests: refuses web pages, foreign host names and, if there are credentials, unsigned requests.

Theory of operation. A server on the loopback interface trusts whoever reaches it, for those are programs of this
machine. One kind of stranger reaches it nevertheless: a web page that a browser of this machine shows. Browsers say so
in ``Origin`` or ``Sec-Fetch-Site``; a page can also have its own name resolve to 127.0.0.1, and then the name in
``Host`` gives it away. So names that somebody could have registered are refused there. Where requests are signed, the
signature is what counts.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from functools import lru_cache

from attrs import frozen

from genflow.local.errors import ServiceError
from genflow.local.http.credentials import Credentials
from genflow.local.http.http11 import Request
from genflow.local.http.signatures import verify
from genflow.local.requests import faults

__all__ = ['Admission', 'is_loopback']

HEALTH = frozenset({('GET', '/'), ('HEAD', '/')})
"""A load balancer asks for these without a signature; the answer tells nothing."""

PRIVATE_DOMAINS = ('.localhost', '.internal')
"""Domains in which nobody can register a name."""


@frozen
class Admission:
    """Decides about every request of a server.

    Attributes:
        host: The address or name that the server was told to listen on.
        is_local: It listens on the loopback interface.
        credentials: Whose signatures are accepted; None where none are asked for.
        now: The time of day.
    """

    host: str
    is_local: bool
    credentials: Credentials | None = None
    now: Callable[[], float] = time.time

    def check(self, request: Request) -> None:
        """Let the request in.

        Raises:
            ServiceError: It is refused.
        """
        if is_of_web_page(request):
            raise refused('Requests of web pages are refused')
        if self.credentials is not None:
            if (request.method, request.path) not in HEALTH:
                verify(request, self.credentials, self.now())
        elif self.is_local and not is_known(request.headers.get('host', ''), self.host):
            name = host_name(request.headers.get('host', ''))
            raise refused(
                f'Host is {name[:100]!r}, but this server is on the loopback interface: call it by '
                'localhost or 127.0.0.1, or start it with --credentials'
            )


def is_of_web_page(request: Request) -> bool:
    """A browser has sent it for a page; what the user has typed himself is ``none``."""
    headers = request.headers
    return 'origin' in headers or headers.get('sec-fetch-site', 'none') != 'none'


@lru_cache(64)
def is_known(header: str, own: str) -> bool:
    """The Host header has a name that cannot be one that a stranger has registered.

    Args:
        header: Its value.
        own: The name or address that the server was told to listen on.
    """
    name = host_name(header)
    return '.' not in name or is_address(name) or name == own.lower() or name.endswith(PRIVATE_DOMAINS)


def host_name(header: str) -> str:
    """The name in the value of a Host header, without its port."""
    host = header.lower()
    name = host[1:].partition(']')[0] if host.startswith('[') else host.partition(':')[0]
    return name.removesuffix('.')


def is_address(name: str) -> bool:
    """An IP address, which needs no resolving."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Only programs of this machine reach a server that listens on ``host``."""
    return host == 'localhost' or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def refused(message: str) -> ServiceError:
    return faults.fault('AccessDeniedException', message)
