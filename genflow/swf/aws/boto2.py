"""boto 2's ``Layer1`` with the methods of boto3's SWF client.

Everything goes through ``Layer1.json_request``, which sends any operation that SWF has, so that ``boto`` itself is
never imported. Times are returned as aware datetimes and errors are botocore's, so callers see no difference from
boto3.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

__all__ = ['Boto2Client']

_TIMES = frozenset(
    {
        'closeTimestamp',
        'creationDate',
        'deprecationDate',
        'eventTimestamp',
        'latestActivityTaskTimestamp',
        'startTimestamp',
    }
)
"""The members of SWF's responses that are times; boto 2 leaves them as seconds since 1970."""


class Boto2Client:
    """A boto 2 ``Layer1`` as a boto3 client.

    Attributes:
        address: Where it sends requests.
        region: The name of its region.
    """

    def __init__(self, layer1: Any) -> None:
        self._layer1 = layer1
        region = getattr(layer1, 'region', None)
        self.region = getattr(region, 'name', None)
        self.address = f'boto 2, {getattr(region, "endpoint", layer1)}'
        self.exceptions = _Exceptions(_model())
        self._operations = {xform_name(name): name for name in _model().operation_names}

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = self._operations.get(name)
        if operation is None:
            raise AttributeError(f'SWF has no operation {name!r}')

        def call(**request: Any) -> dict[str, Any]:
            return self._call(operation, request)

        return call

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._layer1.json_request(operation, _written(request), object_hook=_read)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=self.address, error=error) from error
        except (OSError, http.client.HTTPException) as error:
            raise EndpointConnectionError(endpoint_url=self.address, error=error) from error
        except Exception as error:
            raise self._translated(operation, error) from error
        return {} if answer is None else answer

    def _translated(self, operation: str, error: Exception) -> Exception:
        """A service error in botocore's form; any other error is returned as it is."""
        status = getattr(error, 'status', None)
        if status is None:
            return error
        body = getattr(error, 'body', None)
        answer = body if isinstance(body, dict) else {}
        code = str(answer.get('__type', status)).rpartition('#')[2]
        refusal = {
            'Error': {'Code': code, 'Message': answer.get('message') or answer.get('Message') or str(error)},
            'ResponseMetadata': {'HTTPStatusCode': status},
        }
        return self.exceptions.made(code, refusal, operation)


def _model() -> Any:
    return botocore.session.get_session().get_service_model('swf')


class _Exceptions:
    """The faults of SWF's model as attributes, each an exception class, as boto3's clients have them."""

    def __init__(self, model: Any) -> None:
        self.ClientError = ClientError
        for shape in model.error_shapes:
            setattr(self, shape.name, type(shape.name, (ClientError,), {}))

    def made(self, code: str, refusal: dict[str, Any], operation: str) -> Exception:
        """An exception of the fault's own class; ``ClientError`` if the model does not have the fault."""
        error: Exception = getattr(self, code, ClientError)(refusal, operation)
        return error


def _written(value: Any) -> Any:
    """A request as boto 2's JSON can hold it."""
    if isinstance(value, datetime):
        # As boto3 does: a moment without a time zone is UTC.
        return (value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)).timestamp()
    if isinstance(value, dict):
        return {name: _written(member) for name, member in value.items()}
    return [_written(member) for member in value] if isinstance(value, (list, tuple)) else value


def _read(members: dict[str, Any]) -> dict[str, Any]:
    for name in _TIMES & members.keys():
        members[name] = datetime.fromtimestamp(members[name], timezone.utc)
    return members
