"""botocore's description of Amazon SWF, loaded once: the source of every name, length and enum used here.

The description is read from botocore's file, and botocore itself is not imported for it: that takes longer than all
else that the embedded service needs. Only who asks for botocore's own model, or for its errors, waits for that.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from genflow.local import forks

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

__all__ = [
    'Shape',
    'input_shape',
    'method_name',
    'operation_model',
    'operations',
    'output_shape',
    'paginators',
    'service_model',
]

SERVICE = 'swf'
VERSION = '2012-01-25'


@frozen(eq=False)
class Shape:
    """A shape of the model, with what botocore's have by the same names.

    Attributes:
        name: Of the shape.
        type_name: ``structure``, ``list``, ``string``, ``timestamp``…
        metadata: ``min``, ``max`` and ``enum``, where there are any.
        required_members: Of a structure.
        refs: The names of the shapes of a structure's members, and of a list's under ``member``.
    """

    name: str
    type_name: str
    metadata: Mapping[str, Any]
    required_members: tuple[str, ...]
    refs: Mapping[str, str] = field(repr=False)

    @property
    def members(self) -> dict[str, Shape]:
        """Of a structure, in the model's order."""
        return {name: shape_for(ref) for name, ref in self.refs.items()}

    @property
    def member(self) -> Shape:
        """Of a list."""
        return shape_for(self.refs['member'])


@cache
def _description(name: str) -> dict[str, Any]:
    """A file of botocore's about SWF."""
    package = find_spec('botocore')
    places = package.submodule_search_locations if package else None
    if not places:
        raise ModuleNotFoundError("No module named 'botocore'", name='botocore')
    path = Path(places[0], 'data', SERVICE, VERSION, f'{name}.json')
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_bytes())
    else:
        found = json.loads(gzip.decompress(path.with_name(f'{name}.json.gz').read_bytes()))
    return found


@cache
def shape_for(name: str) -> Shape:
    """The shape of that name."""
    described = _description('service-2')['shapes'][name]
    members = described.get('members') or ({'member': described['member']} if 'member' in described else {})
    return Shape(
        name,
        described['type'],
        {key: described[key] for key in ('min', 'max', 'enum') if key in described},
        tuple(described.get('required', ())),
        {member: ref['shape'] for member, ref in members.items()},
    )


def input_shape(operation: str) -> Shape:
    """What an operation is asked with."""
    return shape_for(_description('service-2')['operations'][operation]['input']['shape'])


def output_shape(operation: str) -> Shape | None:
    """What an operation answers; ``None`` for nothing."""
    output = _description('service-2')['operations'][operation].get('output')
    return None if output is None else shape_for(output['shape'])


@cache
def paginators() -> dict[str, dict[str, Any]]:
    """Operation -> the configuration of its paginator."""
    found: dict[str, dict[str, Any]] = _description('paginators-1')['pagination']
    return found


def method_name(operation: str) -> str:
    """``'PollForDecisionTask'`` -> ``'poll_for_decision_task'``."""
    return re.sub(r'(?<!^)(?=[A-Z])', '_', operation).lower()


@cache
def operations() -> dict[str, str]:
    """Method name -> operation, for all of SWF's operations."""
    return {method_name(operation): operation for operation in _description('service-2')['operations']}


@cache
def service_model() -> ServiceModel:
    """SWF as botocore models it."""
    with forks.importing('botocore.model'):
        from botocore.model import ServiceModel  # noqa: PLC0415 - a tenth of a second; see above

    return ServiceModel(_description('service-2'), SERVICE)


@cache
def operation_model(operation: str) -> OperationModel:
    """The model of one operation as botocore has it, by its name on the wire."""
    return service_model().operation_model(operation)
