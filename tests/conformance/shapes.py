"""Holds what a service answers against the output shapes of botocore's model.

`problems(value, shape)` walks a response and yields one sentence per departure: a required member that is missing, a
member the model does not know, a null, a wrong type, a value outside an enum, a length or a range.  It reads both what
boto3 parsed (a timestamp is an aware datetime) and the JSON on the wire (`wire=True`: it is a number of seconds).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

MODEL = ServiceModel(
    botocore.session.get_session().get_component('data_loader').load_service_model('swf', 'service-2'), 'swf'
)

# The model requires members of a task that an empty long poll has not got (taskToken ...): these are the whole answer.
EMPTY_POLLS = {
    'PollForActivityTask': {'startedEventId': 0},
    'PollForDecisionTask': {'startedEventId': 0, 'previousStartedEventId': 0},
}


def answer_problems(operation: OperationModel, answer: dict[str, Any], *, wire: bool = False) -> list[str]:
    """What is wrong with a whole answer, as sentences; empty if nothing is."""
    if operation.name in EMPTY_POLLS and 'taskToken' not in answer:
        expected = EMPTY_POLLS[operation.name]
        return [] if answer == expected else [f'an empty {operation.name} answers {answer}, expected {expected}']
    if operation.output_shape is None:
        return [f'{operation.name} answers {answer}, expected nothing'] if answer else []
    return list(problems(answer, operation.output_shape, operation.name, wire=wire))


#: Lists in which the live service has kept a null that was sent.
LISTS_WITH_NULL = {'TagList'}


def problems(value: Any, shape: Shape, path: str, *, wire: bool = False) -> Iterator[str]:
    """Yield what is wrong with `value` as an instance of `shape`, each with the path to it."""
    if not _has_type(value, shape.type_name, wire):
        yield f'{path}: {value!r} is no {shape.type_name}'
    elif shape.type_name == 'structure':
        yield from _structure_problems(value, shape, path, wire)
    elif shape.type_name == 'list':
        for index, member in enumerate(value):
            if member is None and shape.name in LISTS_WITH_NULL:
                continue
            yield from problems(member, shape.member, f'{path}[{index}]', wire=wire)
    elif shape.type_name == 'string':
        yield from _string_problems(value, shape, path)


def _structure_problems(value: dict[str, Any], shape: Any, path: str, wire: bool) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f'{path}: the required member {name} is missing'
    for name, member in value.items():
        if name in shape.members:
            yield from problems(member, shape.members[name], f'{path}.{name}', wire=wire)
        else:
            yield f'{path}: the model has no member {name}'


def _string_problems(value: str, shape: Any, path: str) -> Iterator[str]:
    bounds = shape.metadata
    if not bounds.get('min', 0) <= len(value) <= bounds.get('max', len(value)):
        yield f'{path}: {len(value)} characters, the model has {bounds}'
    if bounds.get('enum') and value not in bounds['enum']:
        yield f'{path}: {value!r} is none of {bounds["enum"]}'
    if bounds.get('pattern') and not re.search(bounds['pattern'], value):
        yield f'{path}: {value!r} does not match {bounds["pattern"]}'


def _has_type(value: Any, type_name: str, wire: bool) -> bool:
    if type_name == 'timestamp':
        return _is_number(value) if wire else isinstance(value, dt.datetime) and value.tzinfo is not None
    if type_name in ('integer', 'long'):
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {'structure': dict, 'list': list, 'string': str, 'boolean': bool}[type_name])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
