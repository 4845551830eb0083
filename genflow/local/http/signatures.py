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
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote

from attrs import frozen

from genflow.local.errors import ServiceError
from genflow.local.http.credentials import Credentials, Secret
from genflow.local.http.http11 import Request
from genflow.local.requests import faults

__all__ = ['signed_at', 'verify']

ALGORITHM = 'AWS4-HMAC-SHA256'

SKEW = 300
"""Seconds by which a client's clock may differ from the server's."""

COVERED = ('x-amz-date', 'x-amz-target', 'x-amz-security-token')
"""Headers that a signature must cover where a request has them, beside its host."""

AUTHORIZATION = re.compile(rf'{ALGORITHM}\s+(.*)\Z')
PART = re.compile(r'\s*(Credential|SignedHeaders|Signature)=([^,\s]+)\s*\Z')
SCOPE = re.compile(r'(.+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request\Z')
MOMENT = re.compile(r'([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z\Z')
FORMAT = '%Y%m%dT%H%M%SZ'

NO_SECRET = Secret('')
"""Stands in for the secret of a key that nobody has, so that its refusal takes as long as that of a wrong signature."""


@frozen
class Signer:
    """What the header `Authorization` says but for the signature: the same in all requests of a client on a day.

    Attributes:
        scope: Day, region and service that the key is derived for.
        signed: Names of the headers that the signature covers, in the order of the canonical form.
        names: These, to look them up.
        last_lines: The canonical form has these between the headers and the hash of the body.
    """

    access_key: str
    day: str
    scope: str
    signed: tuple[str, ...]
    names: frozenset[str]
    last_lines: str


@frozen
class Moment:
    """When a request was signed.

    Attributes:
        text: As the signature covers it.
        seconds: Since 1970.
    """

    text: str
    seconds: int

    @property
    def day(self) -> str:
        return self.text[:8]


def verify(request: Request, credentials: Credentials, now: float) -> None:
    """Accept a request that somebody has signed who knows one of the secrets.

    Args:
        request: Whole.
        credentials: Access key -> secret.
        now: The time of day, in seconds since 1970.

    Raises:
        ServiceError: Nobody has, or not this request, or not lately.
    """
    header = request.headers.get('authorization')
    if header is None:
        raise missing()
    signer, signature = read_authorization(header)
    moment = signed_at(request.headers.get('x-amz-date'), request.headers.get('date'))
    body_hash = digest(request.body)
    check_coverage(request, signer, moment, body_hash)
    secret = credentials.get(signer.access_key)
    expected = sign(request, signer, moment, body_hash, (secret or NO_SECRET).key)
    right = hmac.compare_digest(expected.encode(), signature.encode('utf-8', 'replace'))
    if secret is None:
        raise unknown_key()
    if not right:
        raise mismatch()
    check_skew(moment, now)
    check_token(request, secret)


def read_authorization(header: str) -> tuple[Signer, str]:
    """Who has signed, and the signature.

    Raises:
        ServiceError: It is of another kind, or not whole.
    """
    before, _, signature = header.rpartition('Signature=')
    if before.endswith((',', ', ')) and signature.isalnum():  # as all clients send it
        return read_beginning(before), signature
    return read_parts(header)


@lru_cache(256)
def read_beginning(text: str) -> Signer:
    """Who has signed, where the header begins so and ends with a signature; a client sends it again and again."""
    return read_parts(f'{text}Signature=0')[0]


def read_parts(header: str) -> tuple[Signer, str]:
    """As :func:`read_authorization`, whichever order the parts are in."""
    found = AUTHORIZATION.match(header)
    texts = found[1].split(',') if found else ()
    parts = {part[1]: part[2] for part in map(PART.match, texts) if part}
    signer = read_signer(parts.get('Credential', ''), parts.get('SignedHeaders', ''))
    if signer is None or not len(texts) == len(parts) == 3:  # noqa: PLR2004 - Credential, SignedHeaders, Signature
        raise incomplete(
            f'Authorization is not of the form {ALGORITHM} Credential=key/date/region/swf/aws4_request, '
            'SignedHeaders=..., Signature=...'
        )
    return signer, parts['Signature']


def read_signer(credential: str, signed: str) -> Signer | None:
    """What two of the three parts say; None if the first is of another form."""
    found = SCOPE.match(credential)
    if found is None:
        return None
    scope = f'{found[2]}/{found[3]}/{found[4]}/aws4_request'
    names = tuple(sorted(signed.split(';')))
    return Signer(found[1], found[2], scope, names, frozenset(names), f'\n{";".join(names)}\n')


@lru_cache(256)
def signed_at(stamp: str | None, date: str | None) -> Moment:
    """When a request was signed that has these values of `X-Amz-Date` and `Date`.

    Raises:
        ServiceError: It does not say so.
    """
    try:
        found = MOMENT.match((date if stamp is None else stamp) or '')
        if found:
            year, month, day, hour, minute, second = map(int, found.groups())
            return moment_of(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc))
        if stamp is None and date is not None:
            time = parsedate_to_datetime(date)  # naive where the header names no zone, or -0000
            return moment_of(time.astimezone(timezone.utc) if time.tzinfo else time)
    except (ValueError, OverflowError):
        pass
    raise incomplete('The request has neither X-Amz-Date (20260131T235959Z) nor Date to show when it was signed')


def moment_of(time: datetime) -> Moment:
    return Moment(time.strftime(FORMAT), timegm(time.timetuple()))


def check_coverage(request: Request, signer: Signer, moment: Moment, body_hash: str) -> None:
    """Refuse a signature that leaves open what it should cover, or covers what has not arrived."""
    headers, names = request.headers, signer.names
    if 'host' not in names:
        raise uncovered('host')
    for name in COVERED:
        if name in headers and name not in names:
            raise uncovered(name)
    if 'x-amz-date' not in headers and 'date' not in names:
        raise uncovered('date')
    if not names <= headers.keys():
        name = next(name for name in signer.signed if name not in headers)
        raise invalid(f'The signed header {name[:60]!r} has not arrived; a proxy may have removed it')
    if signer.day != moment.day:
        raise invalid('Credential should be scoped to the day of X-Amz-Date')
    claimed = headers.get('x-amz-content-sha256')
    if claimed is not None and claimed != body_hash:
        raise invalid('X-Amz-Content-SHA256 is not the hash of the body; unsigned bodies are refused')


def check_skew(moment: Moment, now: float) -> None:
    """Refuse what was signed too long ago, or will be."""
    apart = moment.seconds - now
    if abs(apart) > SKEW:
        word = 'expired' if apart < 0 else 'not yet current'
        raise invalid(
            f'Signature {word}: it is of {moment.text}, and the time here is '
            f'{datetime.fromtimestamp(now, timezone.utc).strftime(FORMAT)}; {SKEW} seconds of difference are allowed'
        )


def check_token(request: Request, secret: Secret) -> None:
    """Refuse temporary credentials without their token."""
    if secret.token is None:
        return
    token = request.headers.get('x-amz-security-token', '')
    if not hmac.compare_digest(token.encode(), secret.token.encode()):
        raise unknown_key()


def sign(request: Request, signer: Signer, moment: Moment, body_hash: str, key: str) -> str:
    """The signature that the request should have."""
    form = digest(canonical(request, signer, body_hash))
    text = f'{ALGORITHM}\n{moment.text}\n{signer.scope}\n{form}'
    signing = keyed(key, signer.scope).copy()
    signing.update(text.encode())
    return signing.hexdigest()


@lru_cache(256)
def keyed(key: str, scope: str) -> hmac.HMAC:
    """A hash with the key that a client signs with for a day; to be copied."""
    found = f'AWS4{key}'.encode()
    for part in scope.split('/'):
        found = hmac.digest(found, part.encode(), 'sha256')
    return hmac.new(found, digestmod='sha256')


def canonical(request: Request, signer: Signer, body_hash: str) -> bytes:
    """The request as it is signed; headers that came more than once have been joined by the reader."""
    headers = request.headers
    lines = [f'{name}:{" ".join(headers[name].split())}\n' for name in signer.signed]
    begins = f'{request.method}\n{quoted(request.path)}\n{canonical_query(request.query)}\n'
    return f'{begins}{"".join(lines)}{signer.last_lines}{body_hash}'.encode()


def canonical_query(query: str) -> str:
    if not query:
        return ''
    pairs = sorted(pair.partition('=')[::2] for pair in query.split('&') if pair)
    return '&'.join(f'{name}={value}' for name, value in pairs)


@lru_cache(64)
def quoted(path: str) -> str:
    return quote(path, safe='/~')


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# The error texts.


def missing() -> ServiceError:
    return faults.fault(
        'MissingAuthenticationTokenException', 'Missing Authentication Token: this server answers signed requests only'
    )


def incomplete(message: str) -> ServiceError:
    return faults.fault('IncompleteSignatureException', message)


def invalid(message: str) -> ServiceError:
    return faults.fault('InvalidSignatureException', message)


def uncovered(name: str) -> ServiceError:
    return invalid(f'SignedHeaders does not contain {name}, which must be signed')


def mismatch() -> ServiceError:
    return invalid(
        'The request signature we calculated does not match the signature you provided. Check the secret access key, '
        'and that no proxy changes the Host header'
    )


def unknown_key() -> ServiceError:
    return faults.fault('UnrecognizedClientException', 'The security token included in the request is invalid.')
