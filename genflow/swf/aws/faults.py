"""What an error of a SWF client means for its caller: a table from error code to meaning.

Three questions matter: will the same call succeed later (*transient*), can it have had its effect although it failed
(*doubtful*), and was it refused because of a rate limit (*throttled*).
"""

from __future__ import annotations

import re
from typing import Any

from genflow.swf.aws.answers import is_malformed

__all__ = [
    'code_of',
    'is_crowded',
    'is_doubtful',
    'is_late',
    'is_throttled',
    'is_timeout',
    'is_transient',
    'is_unsupported',
    'message_of',
    'shown',
]

_THROTTLED = frozenset({'ThrottlingException', 'Throttling', 'TooManyRequestsException', 'RequestLimitExceeded'})
_LATER = frozenset(
    {
        # Credentials of a role expire and are renewed while the worker runs.
        'ExpiredToken',
        'ExpiredTokenException',
        'RequestExpired',
    }
)
_SERVER_ERROR = 500
_TIMED_OUT = 408
_UNPARSED = frozenset({'ValidationException', 'SerializationException', 'UnknownOperationException'})

MAX_SHOWN = 500
_VALUES = re.compile(r"(?<=Value ').*?(?=' at ')|(?<=value: ).*?(?=, (?:type|valid))", re.DOTALL)
"""The places where SWF and botocore quote the value that they refuse."""

# botocore's exceptions by name: this module is asked about errors of any client, and must not load botocore for it.
_NEVER_SENT = frozenset(
    {
        'EndpointConnectionError',
        'ConnectTimeoutError',
        'ProxyConnectionError',
        'CredentialRetrievalError',
        'MetadataRetrievalError',
        'TokenRetrievalError',
        'UnauthorizedSSOTokenError',
        'SSOTokenLoadError',
    }
)
_CUT_OFF = frozenset({'HTTPClientError', 'IncompleteReadError', 'ResponseStreamingError'})


def _names(error: BaseException) -> set[str]:
    return {cls.__name__ for cls in type(error).__mro__}


def _response(error: BaseException) -> dict[str, Any]:
    response = getattr(error, 'response', None)
    return response if isinstance(response, dict) else {}


def _answered(error: BaseException) -> dict[str, Any]:
    answered = _response(error).get('Error')
    return answered if isinstance(answered, dict) else {}


def code_of(error: BaseException) -> str | None:
    """The error code of the service, such as ``UnknownResourceFault``; ``None`` if no service answered."""
    code = _answered(error).get('Code')
    return None if code is None else str(code).rpartition('#')[2]


def message_of(error: BaseException) -> str | None:
    """The message of the service, without the text that the client adds; ``None`` if no service answered."""
    message = _answered(error).get('Message')
    return None if message is None else str(message)


def _status(error: BaseException) -> int:
    return int(_response(error).get('ResponseMetadata', {}).get('HTTPStatusCode', 0))


def is_throttled(error: BaseException) -> bool:
    return code_of(error) in _THROTTLED


def is_crowded(error: BaseException) -> bool:
    """Whether a quota is used up: for a poll, too many pollers on one task list."""
    return code_of(error) == 'LimitExceededFault'


def is_timeout(error: BaseException) -> bool:
    """Whether the client's read timed out; for a poll that means that there was no task."""
    return 'ReadTimeoutError' in _names(error)


def is_doubtful(error: BaseException) -> bool:
    """Whether the call may have had its effect although it failed."""
    return (
        is_malformed(error)
        or _status(error) >= _SERVER_ERROR
        or _status(error) == _TIMED_OUT
        or bool(_CUT_OFF & _names(error))
    )


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later: throttling, a server error, the network, expired credentials."""
    return is_throttled(error) or is_doubtful(error) or code_of(error) in _LATER or bool(_NEVER_SENT & _names(error))


def is_late(error: BaseException) -> bool:
    """Whether a response came too late: its task is gone, or was answered before."""
    return code_of(error) == 'UnknownResourceFault'


def shown(error: BaseException) -> str:
    """The text of an error for a log: short, and without the values of the request."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - any code may be in an exception
        text = '<the exception has no readable text>'
    return _VALUES.sub('…', text)[:MAX_SHOWN]


def is_unsupported(error: BaseException) -> bool:
    """Whether the client or the service does not know a parameter."""
    return 'ParamValidationError' in _names(error) or code_of(error) in _UNPARSED
