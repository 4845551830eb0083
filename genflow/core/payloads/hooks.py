"""How arguments and results become text: JSON, with hooks that a class, a proxy or a shared transport overrides.

A workflow's arguments travel as ``[args, kwargs]``, a result as its JSON. The five hooks are methods of
:class:`Serialization`, which ``Workflow``, ``Activity`` and the proxies inherit: override one and the other side has
to agree. A *transport* is one object with the same methods without the underscore, given as ``transport=`` to starter
and proxies alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from genflow.core.errors import DefinitionError
from genflow.core.payloads.structuring import shape_of, unstructured
from genflow.core.payloads.unsettled import check_settled
from genflow.core.payloads.wire_text import sendable

__all__ = [
    'HOOKS',
    'MAX_DEPTH',
    'MAX_PAYLOAD',
    'Serialization',
    'decode',
    'encode',
    'encode_value',
    'excerpt',
    'same_payload',
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

MAX_DEPTH = 200
"""Levels of lists and objects in one payload.

A fixed number, because Python's own limit depends on its version and on how deep the stack already is: what one worker
reads another one must read too.
"""

SURELY_FLAT = 2 * MAX_DEPTH
"""Characters of a text that cannot be nested too deeply: each level takes two."""

_encoder = json.JSONEncoder(separators=(',', ':'), ensure_ascii=False, allow_nan=False)
_decoder = json.JSONDecoder()
_scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once  # type: ignore[attr-defined]


def _iterencode(value: Any, _: int) -> Iterable[str]:
    return _encoder.iterencode(value)


_make_encoder = getattr(json.encoder, 'c_make_encoder', None)
_pieces: Callable[[Any, int], Iterable[str]] = (
    _iterencode
    if _make_encoder is None
    else _make_encoder(None, _encoder.default, json.encoder.encode_basestring, None, ':', ',', False, False, False)
)
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_ODD_KEY = re.compile(r'[{,]"(?:-?\d|(?:true|false|null|NaN|-?Infinity)":)')
"""A key that may have been no text: what is no text is written as a number or as one of these words."""

_ATOMS = frozenset({str, int, float, bool, type(None)})
_KEYS: dict[type, Callable[[Any], str]] = {bool: lambda key: str(key).lower(), type(None): lambda key: 'null'}
"""The keys that JSON writes in words of its own; numbers are written as Python does."""


def encode(value: Any) -> str:
    r"""The JSON of a value that any language can read, without spaces and with text as it is.

    Half of a surrogate pair, which no client can send, is written as ``\udcXX``. The encoder behind this is made
    once instead of at each call, which is half of what a short payload costs.

    Raises:
        TypeError: JSON cannot hold it.
        ValueError: It contains itself, is nested too deeply, or holds ``NaN``, an infinity, or keys that JSON writes
            alike.
    """
    try:
        text = ''.join(_pieces(value, 0))
    except RecursionError:
        raise ValueError(_endless(value)) from None
    if len(text) <= SURELY_FLAT and '":' not in text and text.isascii():  # the fast path
        return text
    if _depth_exceeds(text, MAX_DEPTH):
        raise ValueError(f'it is nested more than {MAX_DEPTH} levels deep')
    if '":' in text and _ODD_KEY.search(text) is not None:
        _check_keys(value)
    return text if text.isascii() else sendable(text)


def decode(text: str) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: The text is no JSON, or nested more than :data:`MAX_DEPTH` levels deep.
    """
    if len(text) > SURELY_FLAT and _depth_exceeds(text, MAX_DEPTH):
        raise ValueError(f'the JSON is nested more than {MAX_DEPTH} levels deep')
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def encode_value(value: Any) -> str:
    """The JSON of a user's value; what JSON does not know is unstructured by its own type first.

    Raises:
        TypeError: JSON cannot hold it, and the extra ``typed`` is not there or cannot help either; or a task is in it.
        ValueError: As for :func:`encode`.
    """
    try:
        return encode(value)
    except TypeError as error:
        return _encode_plainer(value, error)


def _encode_plainer(value: Any, error: TypeError) -> str:
    check_settled(value)
    return encode(unstructured(value, error))


def _depth_exceeds(text: str, limit: int) -> bool:
    """Whether brackets are nested more than ``limit`` levels deep, in time that does not depend on the nesting."""
    if text.count('[') + text.count('{') <= limit:
        return False
    unescaped = text.replace('\\\\', '').replace('\\"', '')
    marks = unescaped.encode('utf-8', 'surrogatepass').translate(None, _NO_MARKS)
    brackets = b''.join(marks.split(b'"')[::2])  # every other part is the inside of a string
    for _ in range(limit):
        inner = brackets.replace(b'[]', b'').replace(b'{}', b'')
        if inner == brackets:
            break
        brackets = inner
    return bool(brackets)


def _endless(value: Any) -> str:
    """What is wrong with a value that the encoder follows without end."""
    try:
        _encoder.encode(value)
    except ValueError:
        return 'it contains itself'
    except (RecursionError, TypeError):
        pass
    return f'it is nested more than {MAX_DEPTH} levels deep'


def _check_keys(value: Any) -> None:
    """Refuses a dict with keys that JSON writes alike, such as ``1`` and ``'1'``: one of them would vanish.

    Raises:
        ValueError: There is one.
    """
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, dict):
            if not {str}.issuperset(map(type, found)):
                _check_dict(found)
            found = found.values()
        if not _ATOMS.issuperset(map(type, found)):
            pending += [item for item in found if isinstance(item, (dict, list, tuple))]


def _check_dict(value: dict[Any, Any]) -> None:
    written: dict[str, Any] = {}
    for key in value:
        text = str.__str__(key) if isinstance(key, str) else _KEYS.get(type(key), encode)(key)
        if text in written:
            raise ValueError(f'JSON writes its keys {written[text]!r} and {key!r} alike, as {text!r}')
        written[text] = key


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
        try:
            return encode([args, kwargs])  # as encode_value does, without a call more
        except TypeError as error:
            return _encode_plainer([args, kwargs], error)

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
        raise DefinitionError(f'{transport!r} is not a transport: it has none of the methods {", ".join(HOOKS)}')
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


def same_payload(one: str | None, other: str | None) -> bool:
    """Whether two payloads are the same JSON value, regardless of spaces and the order of keys."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    try:
        return bool(decode(one) == decode(other))
    except ValueError:
        return False
