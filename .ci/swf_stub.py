"""Writes the types of boto3's SWF methods, which botocore makes at run time, for type checkers.

``python .ci/swf_stub.py`` writes ``genflow/local/requests/boto_methods.pyi`` from botocore's model of the service; a
test compares the file with it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from genflow.local.requests.model import operation_model, operations, service_model

STUB = Path(__file__).resolve().parent.parent / 'genflow' / 'local' / 'requests' / 'boto_methods.pyi'

HEAD = '''"""What type checkers see of the methods of an SWF client; written by .ci/swf_stub.py."""

from datetime import datetime
from typing import Any, Literal, TypedDict

from typing_extensions import NotRequired

__all__ = ['BotoMethods']

'''

SCALARS = {
    'string': 'str',
    'integer': 'int',
    'long': 'int',
    'boolean': 'bool',
    'blob': 'bytes',
    'float': 'float',
    'double': 'float',
}

WIDTH = 120


def type_of(shape: Any, *, is_input: bool) -> str:
    """The annotation of a value of a shape."""
    if shape.type_name == 'structure':
        return str(shape.name)
    if shape.type_name == 'list':
        return f'list[{type_of(shape.member, is_input=is_input)}]'
    if shape.type_name == 'map':
        return f'dict[str, {type_of(shape.value, is_input=is_input)}]'
    if shape.type_name == 'timestamp':
        return 'datetime | str | float' if is_input else 'datetime'
    if shape.type_name == 'string' and shape.enum:
        return str(shape.name)
    return SCALARS[shape.type_name]


def is_timed(shape: Any, known: set[str]) -> bool:
    """Whether there is a timestamp somewhere in a shape."""
    if shape.type_name == 'timestamp':
        return True
    if shape.type_name == 'list':
        return is_timed(shape.member, known)
    if shape.type_name != 'structure' or shape.name in known:
        return False
    return any(is_timed(member, {*known, shape.name}) for member in shape.members.values())


def shapes_below(shape: Any, found: dict[str, Any]) -> None:
    """The structures and enums that a shape is made of, innermost first."""
    if shape is None or shape.name in found:
        return
    if shape.type_name == 'list':
        shapes_below(shape.member, found)
    elif shape.type_name == 'structure':
        for member in shape.members.values():
            shapes_below(member, found)
        found[shape.name] = shape
    elif shape.type_name == 'string' and shape.enum:
        found[shape.name] = shape


def enum(shape: Any) -> Iterator[str]:
    values = ', '.join(repr(value) for value in shape.enum)
    line = f'{shape.name} = Literal[{values}]'
    if len(line) <= WIDTH:
        yield line
        return
    yield f'{shape.name} = Literal['
    yield from (f'    {value!r},' for value in shape.enum)
    yield ']'


def structure(shape: Any, *, is_input: bool) -> Iterator[str]:
    yield f'class {shape.name}(TypedDict):'
    for name, member in shape.members.items():
        annotation = type_of(member, is_input=is_input)
        yield (
            f'    {name}: {annotation}' if name in shape.required_members else f'    {name}: NotRequired[{annotation}]'
        )


def method(name: str, operation: str) -> Iterator[str]:
    model = operation_model(operation)
    shape = model.input_shape
    arguments = []
    for member, value in sorted(shape.members.items(), key=lambda item: item[0] not in shape.required_members):
        annotation = type_of(value, is_input=True)
        arguments.append(f'{member}: {annotation}' + ('' if member in shape.required_members else ' = ...'))
    result = 'dict[str, Any]' if model.output_shape is None else str(model.output_shape.name)
    line = f'    def {name}(self, *, {", ".join(arguments)}) -> {result}: ...'
    if len(line) <= WIDTH:
        yield line
        return
    yield f'    def {name}('
    yield '        self,'
    yield '        *,'
    yield from (f'        {argument},' for argument in arguments)
    yield f'    ) -> {result}: ...'


def body() -> Iterator[str]:
    models = [operation_model(operation) for operation in operations().values()]
    outputs: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    for model in models:
        for member in model.input_shape.members.values():
            shapes_below(member, inputs)
        shapes_below(model.output_shape, outputs)
    shapes = {**inputs, **outputs}
    both = [name for name in inputs if name in outputs and is_timed(shapes[name], set())]
    if both:
        raise ValueError(f'{both} hold times and are asked for and answered: they need a type for each')
    enums = [shape for shape in shapes.values() if shape.type_name == 'string']
    structures = [shape for shape in shapes.values() if shape.type_name == 'structure']
    for shape in sorted(enums, key=lambda shape: str(shape.name)):
        yield from enum(shape)
    for shape in structures:
        yield ''
        yield from structure(shape, is_input=shape.name in inputs)
    yield ''
    yield 'class BotoMethods:'
    yield f'    """The methods of {service_model().metadata["serviceId"]}, as boto3 has them."""'
    yield ''
    for name, operation in sorted(operations().items()):
        yield from method(name, operation)


def text(lines: Iterable[str]) -> str:
    return HEAD + re.sub(r'\n{3,}', '\n\n', '\n'.join(lines)) + '\n'


def main() -> None:
    STUB.write_text(text(body()), encoding='utf-8')
    sys.stdout.write(f'{STUB}\n')


if __name__ == '__main__':
    main()
