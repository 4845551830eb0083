"""A SWF client whose every answer is held against botocore's model before a test sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from .shapes import MODEL, answer_problems

OPERATIONS = {xform_name(name): MODEL.operation_model(name) for name in MODEL.operation_names}
MODELLED_FAULTS = {shape.name for shape in MODEL.error_shapes}


class CheckedClient:
    """Every method of a SWF client; an answer or an error that departs from the model is an `AssertionError`."""

    def __init__(self, client: Any) -> None:
        self.unchecked = client
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = OPERATIONS[name]

        def call(**request: Any) -> dict[str, Any]:
            try:
                answer = getattr(self.unchecked, name)(**request)
            except ClientError as error:
                self._check_error(error)
                raise
            return checked(operation, answer)

        return call

    def _check_error(self, error: ClientError) -> None:
        code = error.response['Error']['Code']
        if code in MODELLED_FAULTS:
            assert isinstance(error, getattr(self.exceptions, code)), f'{code} is raised as {type(error)}'


def checked(operation: OperationModel, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without boto3's metadata, once it has been found to fit the operation's output shape."""
    body = {name: value for name, value in answer.items() if name != 'ResponseMetadata'}
    found = answer_problems(operation, body)
    assert not found, '\n'.join(found)
    return body


def check_wire(client: Any) -> None:
    """Hold the bytes of every response against the model too, for boto3 drops what it does not know."""

    def check(http_response: Any, model: OperationModel, **kwargs: Any) -> None:
        found = wire_problems(model, http_response.status_code, http_response.headers, http_response.content)
        assert not found, '\n'.join(found)

    client.meta.events.register('after-call.swf', check)


def wire_problems(operation: OperationModel, status: int, headers: Any, content: bytes) -> list[str]:
    """What is wrong with a response as it came over the network."""
    found = [] if headers.get('x-amzn-RequestId') else ['the response has no x-amzn-RequestId']
    if status >= 300:
        return found + _error_problems(json.loads(content))
    if operation.output_shape is None:
        return found if content == b'' else [*found, f'{operation.name} answers {content!r}, expected no bytes']
    return found + answer_problems(operation, json.loads(content), wire=True)


def _error_problems(body: dict[str, Any]) -> list[str]:
    namespace, _, name = body.get('__type', '').partition('#')
    found = [] if namespace and name else [f'{body} has no __type of the form namespace#Name']
    if name in MODELLED_FAULTS and namespace != 'com.amazonaws.swf.base.model':
        found.append(f'{name} comes from {namespace}')
    return found if set(body) <= {'__type', 'message'} else [*found, f'{body} has members of its own']
