"""Lambda functions: Python callables that the service runs in threads of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from attrs import frozen

__all__ = ['FunctionFailure', 'Run', 'find', 'in_background', 'perform']

Run = Callable[[Callable[[], None]], None]
"""Makes a call, or has it made: it is given the work."""

LONGEST = 32_768
"""Characters of an answer that SWF can record."""


class FunctionFailure(Exception):
    """Raised in a registered function: it fails with this reason and these details, as AWS Lambda would say them."""

    def __init__(self, reason: str, details: str | None = None) -> None:
        super().__init__(reason, details)
        self.reason = reason
        self.details = details


@frozen
class Outcome:
    """How a function ended: the event to record and its attributes."""

    event_type: str
    attributes: dict[str, Any]


def not_found(name: str) -> Outcome:
    """Nobody registered a function of that name."""
    return Outcome(
        'LambdaFunctionFailed', {'reason': 'ResourceNotFoundException', 'details': f'Function not found: {name}'}
    )


def find(functions: dict[str, Callable[..., Any]], name: str) -> Callable[..., Any] | None:
    """The function of that name, or of the name inside of that ARN."""
    return functions.get(name) or functions.get(name.partition(':function:')[2].partition(':')[0])


def perform(functions: dict[str, Callable[..., Any]], name: str, input: str) -> Outcome:
    """Call the function with the JSON value of its input."""
    function = find(functions, name)
    if function is None:
        return not_found(name)
    try:
        result = json.dumps(function(json.loads(input)))
    except FunctionFailure as failure:
        attributes = {'reason': failure.reason, 'details': failure.details}
        return Outcome('LambdaFunctionFailed', {name: text for name, text in attributes.items() if text is not None})
    except Exception as error:  # noqa: BLE001 - whatever a function raises is its outcome
        details = {'errorMessage': str(error), 'errorType': type(error).__name__}
        return Outcome('LambdaFunctionFailed', {'reason': 'UnhandledError', 'details': json.dumps(details)[:LONGEST]})
    return Outcome('LambdaFunctionCompleted', {'result': result[:LONGEST]})


def in_background(work: Callable[[], None]) -> None:
    """Do ``work`` in a thread that does not keep the process alive."""
    threading.Thread(target=work, name='genflow-local-lambda', daemon=True).start()
