"""Between the wire, where moments are numbers, and Python, where boto3 gives aware datetimes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache, lru_cache
from typing import Any

from genflow.local import forks
from genflow.local.clock import to_milliseconds
from genflow.local.requests.model import Shape, input_shape, output_shape

__all__ = ['has_timestamps', 'moment', 'seconds', 'to_python', 'to_wire']

Convert = Callable[[Any], Any]


@lru_cache(256)
def moment(seconds: float) -> datetime:
    """Epoch seconds as an aware moment; many events have that of the one before."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def seconds(value: Any) -> Any:
    """What callers give for a moment, as epoch seconds; what boto3 could not read either is left as it is."""
    if isinstance(value, str):
        with forks.importing('botocore.utils'):
            from botocore.utils import parse_to_aware_datetime  # noqa: PLC0415 - a tenth of a second, for few

        with contextlib.suppress(ValueError, TypeError):
            value = parse_to_aware_datetime(value)
    elif isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)  # as boto3 has it
    return to_milliseconds(value) / 1000 if isinstance(value, datetime) else value


def converter(shape: Shape | None, leaf: Convert) -> Convert | None:
    """What changes the timestamps inside of a value of ``shape``, in place; None where there are none."""
    if shape is None:
        return None
    if shape.type_name == 'structure':
        return _of_structure(shape, leaf)
    if shape.type_name == 'list':
        return _of_list(converter(shape.member, leaf))
    return leaf if shape.type_name == 'timestamp' else None


def _of_structure(shape: Shape, leaf: Convert) -> Convert | None:
    found = {name: converter(member, leaf) for name, member in shape.members.items()}
    members = [(name, convert) for name, convert in found.items() if convert is not None]

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        for name, inner in members:
            if name in value:
                value[name] = inner(value[name])
        return value

    return convert if members else None


def _of_list(inner: Convert | None) -> Convert | None:
    def convert(values: list[Any]) -> list[Any]:
        return [inner(value) for value in values] if inner else values

    return convert if inner else None


@cache
def to_python(operation: str) -> Convert | None:
    """Turns an answer's numbers into moments."""
    return converter(output_shape(operation), moment)


@cache
def has_timestamps(operation: str) -> bool:
    """A request of the operation can hold a moment."""
    return converter(input_shape(operation), seconds) is not None


def to_wire(operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """The request with numbers for moments; what the caller gave is left as it is."""
    convert = converter(input_shape(operation), seconds)
    copy = {name: dict(value) if isinstance(value, dict) else value for name, value in request.items()}
    result: dict[str, Any] = convert(copy) if convert else request
    return result
