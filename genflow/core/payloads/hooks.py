"""How arguments and results become text: JSON, with hooks that a class, a proxy or a shared transport overrides.

A workflow's arguments travel as ``[args, kwargs]``, a result as its JSON. The five hooks are methods of
:class:`Serialization`, which ``Workflow``, ``Activity`` and the proxies inherit: override one and the other side has
to agree. A *transport* is one object with the same methods without the underscore, given as ``transport=`` to starter
and proxies alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

from genflow.core.errors import DefinitionError
from genflow.core.payloads.type_hints import shape_of, unstructured

__all__ = [
    'HOOKS',
    'MAX_PAYLOAD',
    'Serialization',
    'decode',
    'encode',
    'excerpt',
    'use_transport',
]

MAX_PAYLOAD = 32_768
"""Characters of an input, result, details or control: SWF's ``Data`` shape."""

HOOKS = (
    'serialize_arguments',
    'deserialize_arguments',
    'serialize_result',
    'deserialize_result',
    'serialize_restart_arguments',
)

_encoder = json.JSONEncoder(separators=(',', ':'))
_decoder = json.JSONDecoder()
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]
_make_encoder = getattr(json.encoder, 'c_make_encoder', None)
_pieces = _make_encoder and _make_encoder(
    None, _encoder.default, json.encoder.encode_basestring_ascii, None, ':', ',', False, False, True
)


def encode(value: Any) -> str:
    """The JSON of a value, without spaces.

    The same text as ``json.dumps(value, separators=(',', ':'))``; the encoder behind it is made once instead of at
    each call, which is half of what a short payload costs.

    Raises:
        TypeError: JSON cannot hold it.
        ValueError: It contains itself.
    """
    if _pieces is None or type(value) is str:
        return _encoder.encode(value)
    try:
        return ''.join(_pieces(value, 0))
    except RecursionError:  # it may contain itself, which only the encoder's own bookkeeping can tell
        return _encoder.encode(value)


def decode(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: The text is no JSON.
    """
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def encode_value(value: Any) -> str:
    """The JSON of a user's value; what JSON does not know is unstructured by its own type first.

    Raises:
        TypeError: JSON cannot hold it, and the extra ``typed`` is not there or cannot help either.
    """
    try:
        return encode(value) if _pieces is None or type(value) is str else ''.join(_pieces(value, 0))
    except RecursionError:
        return encode(value)
    except TypeError as error:
        return encode(unstructured(value, error))


class Serialization:
    """The five hooks with their JSON defaults.

    A subclass may define the hooks as methods or attributes; each is looked up on the instance.

    Attributes:
        transport: On a class, the transport whose methods are its hooks.
        hinted: The class whose ``run`` hints what decoded values are to be; ``None`` leaves them as JSON has them.
    """

    transport: ClassVar[Any] = None
    hinted: type | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if vars(cls).get('transport') is not None:
            use_transport(cls, cls.transport)

    def _serialize_arguments(self, *args: Any, **kwargs: Any) -> str:
        return encode_value([args, kwargs])

    def _deserialize_arguments(self, input: str) -> tuple[list[Any], dict[str, Any]]:
        args, kwargs = decode(input)
        shape = None if self.hinted is None else shape_of(self.hinted)
        return (args, kwargs) if shape is None else shape.arguments(args, kwargs)

    def _serialize_result(self, value: Any) -> str:
        return encode_value(value)

    def _deserialize_result(self, text: str) -> Any:
        value = decode(text)
        shape = None if self.hinted is None else shape_of(self.hinted)
        return value if shape is None else shape.returned(value)

    def _serialize_restart_arguments(self, *args: Any, **kwargs: Any) -> str:
        return self._serialize_arguments(*args, **kwargs)


def use_transport(target: Any, transport: Any) -> None:
    """Makes ``transport``'s methods the hooks of the object ``target``.

    A method that the transport lacks keeps its default.

    Raises:
        DefinitionError: ``transport`` has none of the five methods.
    """
    found = [name for name in HOOKS if callable(getattr(transport, name, None))]
    if not found:
        raise DefinitionError(f'{transport!r} is no transport: it has none of the methods {", ".join(HOOKS)}')
    for name in found:
        setattr(target, f'_{name}', _hook(target, getattr(transport, name)))
    if 'serialize_arguments' in found and 'serialize_restart_arguments' not in found:
        target._serialize_restart_arguments = _hook(target, transport.serialize_arguments)


def _hook(target: Any, method: Any) -> Any:
    """A transport's method as it stands on an object, or on a class, where a plain function would take ``self``."""
    return staticmethod(method) if isinstance(target, type) else method


def excerpt(text: str, length: int = 60) -> str:
    """The first characters of a payload as a message may show them, quoted."""
    return repr(text) if len(text) <= length else f'{text[:length]!r}… ({len(text):,} characters)'
