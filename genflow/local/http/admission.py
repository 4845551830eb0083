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
"""Requests that need no signature, for the health checks of load balancers; the answer reveals nothing."""

PRIVATE_DOMAINS = ('.localhost', '.internal')
"""Top-level domains in which no name can be registered, so a stranger's page cannot have such a name."""


@frozen
class Admission:
    """Decides about every request of a server.

    Attributes:
        host: The address or name on which the server listens.
        is_local: Whether that is the loopback interface.
        credentials: The access keys whose signatures are accepted; ``None`` if requests need no signature.
        now: Returns the time of day, in seconds since 1970.
    """

    host: str
    is_local: bool
    credentials: Credentials | None = None
    now: Callable[[], float] = time.time

    def check(self, request: Request) -> None:
        """Admits a request, or refuses it.

        Raises:
            ServiceError: ``AccessDeniedException``: a web page sent it, or ``Host`` may be a name of a stranger; or an
                error about its signature.
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
    """Whether a browser sent the request for a page; ``Sec-Fetch-Site: none`` is an address that the user typed."""
    headers = request.headers
    return 'origin' in headers or headers.get('sec-fetch-site', 'none') != 'none'


@lru_cache(64)
def is_known(header: str, own: str) -> bool:
    """Whether the name in a Host header is one that no stranger can have registered.

    Args:
        header: The value of the header.
        own: The name or address on which the server listens.
    """
    name = host_name(header)
    return '.' not in name or is_address(name) or name == own.lower() or name.endswith(PRIVATE_DOMAINS)


def host_name(header: str) -> str:
    """The name in the value of a Host header, without its port."""
    host = header.lower()
    name = host[1:].partition(']')[0] if host.startswith('[') else host.partition(':')[0]
    return name.removesuffix('.')


def is_address(name: str) -> bool:
    """Whether a name is an IP address, so that it needs no resolving."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a server that listens on ``host``."""
    return host == 'localhost' or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def refused(message: str) -> ServiceError:
    return faults.fault('AccessDeniedException', message)
