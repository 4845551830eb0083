"""Values that JSON does not know, by the type hints of ``run``.

JSON types pass as they are. Where a hint asks for more (attrs and dataclasses, datetime, Decimal, UUID, Enum, bytes,
tuples, …) cattrs, from the extra ``typed``, structures what was decoded. Without it such a hint is a
:class:`DefinitionError` at the first use. A hint that cannot be applied, such as one whose name is imported for type
checkers only, is reported once and asks for nothing; the others hold.

Going out, a value that JSON refuses is unstructured by its own type, whatever the hints say: see
:mod:`genflow.core.payloads.converting`, which has the rules for both ways.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache, partial
from typing import Any

from attrs import frozen

from genflow.core.errors import DefinitionError
from genflow.core.payloads.type_hints import Unreadable, Unwritable, hints_of_function, report_once

__all__ = ['Shape', 'shape_of', 'structuring', 'unstructured']

PLAIN = (Any, str, int, float, bool, type(None), None, object, list, dict, inspect.Parameter.empty)
ATOMS: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
    list: (list,),
    dict: (dict,),
}
"""The types of JSON that a value is checked for, and what decoding gives for each."""
WIDE = (list, dict, Mapping, Sequence)


@frozen
class Shape:
    """The hints of one method, mostly of ``run``.

    Attributes:
        owner: The class and the method, for messages.
        parameters: The signature, without ``self``.
        hints: The parameters whose hints ask for more than JSON.
        result: The hint of the result where it asks for more than JSON, else ``None``.
    """

    owner: str
    parameters: inspect.Signature
    hints: Mapping[str, Any]
    result: Any

    def arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Decoded arguments as the hints want them.

        Raises:
            TypeError: They do not fit the signature.
            ValueError: A value does not fit its hint.
        """
        if not self.hints:
            return list(args), dict(kwargs)
        bound = self.parameters.bind(*args, **kwargs)
        for name, value in bound.arguments.items():
            if name in self.hints:
                bound.arguments[name] = self._structured(f'argument {name!r}', value, self.hints[name])
        return list(bound.args), dict(bound.kwargs)

    def returned(self, value: Any) -> Any:
        """A decoded result as the hint wants it."""
        return value if self.result is None else self._structured('the result', value, self.result)

    def _structured(self, what: str, value: Any, hint: Any) -> Any:
        from genflow.core.payloads.converting import converter  # noqa: PLC0415 - the extra `typed`

        name = getattr(hint, '__name__', hint)
        try:
            return converter().structure(value, hint)
        except Exception as error:
            raise ValueError(f'{what} of {self.owner} does not fit its hint {name}: {error!r}') from error


@lru_cache(maxsize=4096)
def shape_of(cls: type, method: str = 'run') -> Shape | None:
    """The shape of a method, mostly of ``run``; ``None`` where JSON's own types are all it asks for.

    Raises:
        DefinitionError: A hint asks for more than JSON, and cattrs is not installed.
    """
    run = inspect.unwrap(getattr(cls, method))
    owner = f'{cls.__qualname__}.{method}'
    hints = {name: hint for name, hint in hints_of_function(run, cls).items() if _is_readable(owner, name, hint)}
    result = _result(hints.pop('return', None))
    parameters = inspect.signature(getattr(cls, method))
    more = {name: _variadic(parameters, name, hint) for name, hint in hints.items() if not _is_plain(hint)}
    if not more and _is_plain(result):
        return None
    if _cattrs() is None:
        name, hint = next(iter(more.items()), ('return', result))
        raise DefinitionError(f'{owner} hints {name}: {hint}, which JSON cannot represent; install genflow[typed]')
    first, *rest = parameters.parameters.values() if not isinstance(run, staticmethod) else (None,)
    without_self = parameters.replace(parameters=rest if first is not None else [])
    return Shape(owner, without_self, more, None if _is_plain(result) else result)


def structuring(hint: Any, what: str) -> Callable[[Any], Any] | None:
    """What makes a value of a type from decoded JSON; ``None`` where any value will do.

    Args:
        hint: The type.
        what: Whose hint it is, for messages.

    Raises:
        DefinitionError: The hint cannot be read, or asks for more than JSON, and cattrs is not installed.
    """
    if isinstance(hint, Unreadable):
        raise DefinitionError(f'the type of {what} cannot be read ({hint.reason})')
    if _is_plain(hint):
        expected = typing.get_origin(hint) or hint
        return partial(_checked, expected) if expected in ATOMS else None
    if _cattrs() is None:
        raise DefinitionError(f'{what} is of type {hint}, which JSON cannot represent; install genflow[typed]')
    from genflow.core.payloads.converting import converter  # noqa: PLC0415 - the extra `typed`

    def structure(value: Any) -> Any:
        return converter().structure(value, hint)

    return structure


def _checked(expected: type, value: Any) -> Any:
    """A decoded value of one of JSON's own types.

    Raises:
        TypeError: It is of another one.
    """
    if type(value) not in ATOMS[expected]:
        raise TypeError(f'a {type(value).__name__} was found, {expected.__name__} is expected')
    return value


def _is_readable(owner: str, name: str, hint: Any) -> bool:
    if isinstance(hint, Unreadable):
        report_once(f'the hint of {name} of {owner} cannot be resolved, and is ignored ({hint.reason})')
    return not isinstance(hint, Unreadable)


def _result(hint: Any) -> Any:
    """What ``run`` returns: of a generator, its return value."""
    if typing.get_origin(hint) in (Generator, types.GeneratorType):
        parts = typing.get_args(hint)
        return parts[2] if len(parts) > 2 else None  # noqa: PLR2004 - yield, send, return
    return None if typing.get_origin(hint) is Iterator or hint in (Generator, Iterator) else hint


def _variadic(signature: inspect.Signature, name: str, hint: Any) -> Any:
    kind = signature.parameters[name].kind
    if kind is inspect.Parameter.VAR_POSITIONAL:
        return tuple[hint, ...]
    return dict[str, hint] if kind is inspect.Parameter.VAR_KEYWORD else hint


def _is_plain(hint: Any) -> bool:
    """Whether decoded JSON is what the hint asks for, as it is."""
    if any(hint is plain for plain in PLAIN) or isinstance(hint, typing.TypeVar):
        return True
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return all(isinstance(value, (str, int, type(None))) and not isinstance(value, Enum) for value in args)
    if origin in (dict, Mapping):
        return any(args[0] is key for key in (str, Any)) and _is_plain(args[1])
    if origin in (typing.Union, types.UnionType) or origin in WIDE:
        return all(map(_is_plain, args))
    return False


def _cattrs() -> Any:
    try:
        import cattrs.preconf.json  # noqa: PLC0415 - the extra `typed`
    except ImportError:
        return None
    return cattrs.preconf.json


def unstructured(value: Any, error: TypeError) -> Any:
    """A value as JSON can hold it.

    Raises:
        TypeError: ``error``, where cattrs is not installed, or the value is of no type that it knows.
        ValueError: The value contains itself, or has keys that JSON writes alike.
    """
    if _cattrs() is None:
        raise TypeError(f'{error}; install genflow[typed] to serialize more types than JSON has') from None
    from genflow.core.payloads.converting import plainer  # noqa: PLC0415 - the extra `typed`

    try:
        return plainer(value)
    except RecursionError:
        raise ValueError('it contains itself, or is nested too deeply') from None
    except Unwritable:
        raise TypeError(f'{error}; give JSON types, attrs or dataclasses, or override the serialization') from None
