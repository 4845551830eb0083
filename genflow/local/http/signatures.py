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
    """The header `Authorization` without the signature: it is the same in all requests of a client on one day.

    Attributes:
        scope: The day, region and service for which the signing key is derived.
        signed: The names of the headers that the signature covers, in the order of the canonical form.
        names: The same names, for look-ups.
        last_lines: The lines of the canonical form between the headers and the hash of the body.
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
    """Accepts a request that is signed with one of the secrets, and refuses others.

    Args:
        request: The request, with its whole body.
        credentials: The secrets by access key.
        now: The time of day, in seconds since 1970.

    Raises:
        ServiceError: The signature is missing, of an unknown key, wrong, or covers too little; or the request was
            signed more than :data:`SKEW` seconds from `now`.
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
    """The signer and the signature that a header ``Authorization`` has.

    Raises:
        ServiceError: ``IncompleteSignatureException``: the header is of another kind, or a part is missing.
    """
    before, _, signature = header.rpartition('Signature=')
    if before.endswith((',', ', ')) and signature.isalnum():  # as all clients send it
        return read_beginning(before), signature
    return read_parts(header)


@lru_cache(256)
def read_beginning(text: str) -> Signer:
    """The signer of a header that begins with this text; cached, because a client sends it with each request."""
    return read_parts(f'{text}Signature=0')[0]


def read_parts(header: str) -> tuple[Signer, str]:
    """Works as :func:`read_authorization`, for parts in any order."""
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
    """The signer, from two of the three parts; ``None`` if the credential has another form."""
    found = SCOPE.match(credential)
    if found is None:
        return None
    scope = f'{found[2]}/{found[3]}/{found[4]}/aws4_request'
    names = tuple(sorted(signed.split(';')))
    return Signer(found[1], found[2], scope, names, frozenset(names), f'\n{";".join(names)}\n')


@lru_cache(256)
def signed_at(stamp: str | None, date: str | None) -> Moment:
    """The moment at which a request was signed, from its `X-Amz-Date` or its `Date`.

    Raises:
        ServiceError: It has neither, or one that is no date.
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
    """Refuses a signature that does not cover what it must, or covers a header that did not arrive."""
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
    """Refuses a request that was signed more than :data:`SKEW` seconds before or after `now`."""
    apart = moment.seconds - now
    if abs(apart) > SKEW:
        word = 'expired' if apart < 0 else 'not yet current'
        raise invalid(
            f'Signature {word}: it is of {moment.text}, and the time here is '
            f'{datetime.fromtimestamp(now, timezone.utc).strftime(FORMAT)}; {SKEW} seconds of difference are allowed'
        )


def check_token(request: Request, secret: Secret) -> None:
    """Refuses temporary credentials that come without their session token."""
    if secret.token is None:
        return
    token = request.headers.get('x-amz-security-token', '')
    if not hmac.compare_digest(token.encode(), secret.token.encode()):
        raise unknown_key()


def sign(request: Request, signer: Signer, moment: Moment, body_hash: str, key: str) -> str:
    """The signature that the request must have, in hexadecimal digits."""
    form = digest(canonical(request, signer, body_hash))
    text = f'{ALGORITHM}\n{moment.text}\n{signer.scope}\n{form}'
    signing = keyed(key, signer.scope).copy()
    signing.update(text.encode())
    return signing.hexdigest()


@lru_cache(256)
def keyed(key: str, scope: str) -> hmac.HMAC:
    """A hash with the key of a client, a day, a region and a service; cached, and copied for each request."""
    found = f'AWS4{key}'.encode()
    for part in scope.split('/'):
        found = hmac.digest(found, part.encode(), 'sha256')
    return hmac.new(found, digestmod='sha256')


def canonical(request: Request, signer: Signer, body_hash: str) -> bytes:
    """The canonical form of a request, which is signed; the reader has joined headers that came more than once."""
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
