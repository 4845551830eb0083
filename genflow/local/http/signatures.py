"""AWS Signature Version 4, as a server verifies it.

Theory of operation. The client signs a canonical form of its request with a key derived from its secret, the day, the
region and the service. The server makes the same form of what arrived and compares the signatures, in constant time. A
request that a proxy has changed on its way still has the same form as long as the signed headers are there with the
same values: white space, the order of headers and headers that were added mean nothing.

The signature must cover the host, the time, the target and the session token, wherever they are. The body is always
covered: its hash is computed here, so a body that is not the signed one is refused, and so is one that the client has
left out of its signature. Region and service of the signature are not compared: boto 2 takes them from the host's name,
and the target says already what is meant. The form of a chunked request is that of its body without the chunks.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from calendar import timegm
from collections.abc import Iterable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote

import attrs

from genflow.local.errors import ServiceError
from genflow.local.http.credentials import Credentials, Secret
from genflow.local.http.http11 import Request
from genflow.local.requests import faults

ALGORITHM = 'AWS4-HMAC-SHA256'

#: seconds by which a client's clock may differ from the server's.
SKEW = 300

#: headers that a signature must cover where a request has them, beside its host.
COVERED = ('x-amz-date', 'x-amz-target', 'x-amz-security-token')

AUTHORIZATION = re.compile(rf'{ALGORITHM}\s+(.*)\Z')
PART = re.compile(r'\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*\Z')
SCOPE = re.compile(r'(.+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request\Z')
MOMENT = re.compile(r'([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z\Z')
FORMAT = '%Y%m%dT%H%M%SZ'

#: stands in for the secret of a key that nobody has, so that its refusal takes as long as that of a wrong signature.
NO_SECRET = Secret('')


@attrs.frozen(slots=True)
class Authorization:
    """What the header of that name says."""

    access_key: str
    day: str
    region: str
    service: str
    signed: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        return f'{self.day}/{self.region}/{self.service}/aws4_request'


def verify(request: Request, credentials: Credentials, now: float) -> None:
    """Accept a request that somebody has signed who knows one of the secrets.

    Args:
        request: whole.
        credentials: access key -> secret.
        now: the time of day, in seconds since 1970.

    Raises:
        ServiceError: nobody has, or not this request, or not lately.
    """
    header = request.headers.get('authorization')
    if header is None:
        raise missing()
    authorization = read_authorization(header)
    moment = signed_at(request)
    check_coverage(request, authorization, moment)
    secret = credentials.get(authorization.access_key)
    expected = sign(request, authorization, moment, (secret or NO_SECRET).key)
    right = hmac.compare_digest(expected.encode(), authorization.signature.encode('utf-8', 'replace'))
    if secret is None:
        raise unknown_key()
    if not right:
        raise mismatch()
    check_skew(moment, now)
    check_token(request, secret)


def read_authorization(header: str) -> Authorization:
    """The parts of the header.

    Raises:
        ServiceError: it is of another kind, or not whole.
    """
    found = AUTHORIZATION.match(header)
    texts = found[1].split(',') if found else ()
    parts = {part[1]: part[2] for part in map(PART.match, texts) if part}
    scope = SCOPE.match(parts.get('Credential', ''))
    if scope is None or not len(texts) == len(parts) == 3:  # noqa: PLR2004 - Credential, SignedHeaders, Signature
        raise incomplete(
            f'Authorization is not of the form {ALGORITHM} Credential=key/date/region/swf/aws4_request, '
            'SignedHeaders=..., Signature=...'
        )
    signed = tuple(parts['SignedHeaders'].split(';'))
    return Authorization(scope[1], scope[2], scope[3], scope[4], signed, parts['Signature'])


def signed_at(request: Request) -> datetime:
    """When the request was signed.

    Raises:
        ServiceError: it does not say so.
    """
    stamp, date = request.headers.get('x-amz-date'), request.headers.get('date')
    try:
        found = MOMENT.match(stamp or '')
        if found:
            year, month, day, hour, minute, second = map(int, found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
        if stamp is None and date is not None:
            return parsedate_to_datetime(date).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        pass
    raise incomplete('The request has neither X-Amz-Date (20260131T235959Z) nor Date to show when it was signed')


def check_coverage(request: Request, authorization: Authorization, moment: datetime) -> None:
    """Refuse a signature that leaves open what it should cover, or covers what has not arrived."""
    headers = request.headers
    needed = ['host', *(name for name in COVERED if name in headers)]
    if 'x-amz-date' not in headers:
        needed.append('date')
    for name in needed:
        if name not in authorization.signed:
            raise invalid(f'SignedHeaders does not contain {name}, which must be signed')
    for name in authorization.signed:
        if name not in headers:
            raise invalid(f'The signed header {name[:60]!r} has not arrived; a proxy may have removed it')
    if authorization.day != moment.strftime('%Y%m%d'):
        raise invalid('Credential should be scoped to the day of X-Amz-Date')
    claimed = headers.get('x-amz-content-sha256')
    if claimed is not None and claimed != digest(request.body):
        raise invalid('X-Amz-Content-SHA256 is not the hash of the body; unsigned bodies are refused')


def check_skew(moment: datetime, now: float) -> None:
    """Refuse what was signed too long ago, or will be."""
    apart = timegm(moment.timetuple()) - now
    if abs(apart) > SKEW:
        word = 'expired' if apart < 0 else 'not yet current'
        raise invalid(
            f'Signature {word}: it is of {moment.strftime(FORMAT)}, and the time here is '
            f'{datetime.fromtimestamp(now, timezone.utc).strftime(FORMAT)}; {SKEW} seconds of difference are allowed'
        )


def check_token(request: Request, secret: Secret) -> None:
    """Refuse temporary credentials without their token."""
    token = request.headers.get('x-amz-security-token', '')
    if secret.token is not None and not hmac.compare_digest(token.encode(), secret.token.encode()):
        raise unknown_key()


def sign(request: Request, authorization: Authorization, moment: datetime, key: str) -> str:
    """The signature that the request should have."""
    form = digest(canonical(request, authorization.signed))
    text = '\n'.join((ALGORITHM, moment.strftime(FORMAT), authorization.scope, form))
    return hmac.digest(derived(key, authorization.scope), text.encode(), 'sha256').hex()


@lru_cache(256)
def derived(key: str, scope: str) -> bytes:
    """What a client signs with for a day."""
    found = f'AWS4{key}'.encode()
    for part in scope.split('/'):
        found = hmac.digest(found, part.encode(), 'sha256')
    return found


def canonical(request: Request, signed: Iterable[str]) -> bytes:
    """The request as it is signed; headers that came more than once have been joined by the reader."""
    names = sorted(signed)
    query = sorted(pair.partition('=')[::2] for pair in request.query.split('&') if pair)
    lines = (
        request.method,
        quote(request.path, safe='/~'),
        '&'.join(f'{name}={value}' for name, value in query),
        *(f'{name}:{" ".join(request.headers[name].split())}' for name in names),
        '',
        ';'.join(names),
        digest(request.body),
    )
    return '\n'.join(lines).encode()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# The words.


def missing() -> ServiceError:
    return faults.fault(
        'MissingAuthenticationTokenException', 'Missing Authentication Token: this server answers signed requests only'
    )


def incomplete(message: str) -> ServiceError:
    return faults.fault('IncompleteSignatureException', message)


def invalid(message: str) -> ServiceError:
    return faults.fault('InvalidSignatureException', message)


def mismatch() -> ServiceError:
    return invalid(
        'The request signature we calculated does not match the signature you provided. Check the secret access key, '
        'and that no proxy changes the Host header'
    )


def unknown_key() -> ServiceError:
    return faults.fault('UnrecognizedClientException', 'The security token included in the request is invalid.')
