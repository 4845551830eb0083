"""The signals and updates that an execution may be sent, each with a form that suits its type hints."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import typing
from collections.abc import Iterator
from typing import Any

import attrs
from attrs import frozen

from genflow.core.authoring.updates import updates_of
from genflow.core.tasks.signals import declared_signals
from genflow.insight import Diagnosis

__all__ = ['SignalForm', 'UpdateForm', 'form_of', 'forms_of', 'hints_of', 'update_form_of', 'update_forms_of']

KINDS: dict[object, str] = {bool: 'bool', int: 'number', float: 'number', str: 'text'}

BLANKS: dict[object, Any] = {bool: False, int: 0, float: 0.0, str: '', list: [], dict: {}, tuple: []}
"""What stands in an example where a value of a type is to be written."""

MAX_DEPTH = 4
"""Levels of classes within classes in an example: a class may hold itself."""

MAX_OPTIONS = 50
"""Values of a type that are offered to be chosen from."""


@frozen
class SignalForm:
    """A form for one signal.

    Attributes:
        name: Of the signal; empty where nobody knows which one the code waits for.
        kind: ``bool``, ``number``, ``text``, ``choice`` or ``value``, which is JSON or text.
        hint: The type hint, in words.
        options: Of a choice: what is shown, and the JSON that is sent.
        example: JSON of the members of a class, to be filled in.
    """

    name: str
    kind: str = 'value'
    hint: str = ''
    options: tuple[tuple[str, str], ...] = ()
    example: str = ''


@frozen
class UpdateForm:
    """A form for one update.

    Attributes:
        name: Of the method.
        signature: Its parameters, as the code has them.
        example: JSON of its arguments, to be filled in.
    """

    name: str
    signature: str
    example: str


def forms_of(diagnosis: Diagnosis) -> list[SignalForm]:
    """The forms for the signals that an execution waits for."""
    return list(_forms(diagnosis)) if diagnosis.view.is_open else []


def _forms(diagnosis: Diagnosis) -> Iterator[SignalForm]:
    code = diagnosis.code
    if code is not None:
        hints = hints_of(code.spec.cls)
        for name in dict.fromkeys(code.awaited):
            yield form_of(name, hints.get(name))
    elif diagnosis.view.pending_decision is None and not _waits(diagnosis):
        yield SignalForm('')


def form_of(name: str, hint: object) -> SignalForm:
    """The form of a signal whose values are of a type."""
    options = _options(hint)
    if options:
        return SignalForm(name, 'choice', _worded(hint), options)
    kind = KINDS.get(hint, 'value') if isinstance(hint, type) else 'value'
    blank = _blank(hint) if kind == 'value' else None
    return SignalForm(name, kind, _worded(hint), example=json.dumps(blank, ensure_ascii=False) if blank else '')


def _options(hint: object) -> tuple[tuple[str, str], ...]:
    """What a value of a type can be, where that is a handful."""
    if typing.get_origin(hint) is typing.Literal:
        found = [(str(value), value) for value in typing.get_args(hint)]
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        found = [(one.name, one.value) for one in hint]
    else:
        return ()
    try:
        options = tuple((label, json.dumps(value)) for label, value in found)
    except TypeError:
        return ()
    return options if len(options) <= MAX_OPTIONS else ()


def _blank(hint: object, depth: int = 0) -> Any:
    """A value of a type with nothing in it; ``None`` where nobody knows one."""
    if isinstance(hint, type) and (attrs.has(hint) or dataclasses.is_dataclass(hint)) and depth < MAX_DEPTH:
        return {name: _blank(inner, depth + 1) for name, inner in _hints(hint).items()}
    options = _options(hint)
    if options:
        return json.loads(options[0][1])
    kind = typing.get_origin(hint) or hint
    return BLANKS.get(kind) if isinstance(kind, type) else None


def _hints(of: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(of)
    except Exception:  # noqa: BLE001 - hints are the user's: what cannot be read is no hint
        return {}


def _waits(diagnosis: Diagnosis) -> bool:
    return any(not one.is_of_engine for one in diagnosis.view.open_operations())


def hints_of(cls: type) -> dict[str, object]:
    """The types of the values of a class's signals, by the names of the signals.

    ``verdict = Signal[Verdict]()`` says it, or ``approve: bool = Signal()``.
    """
    annotated = _hints(cls)
    found: dict[str, object] = {}
    for name, signal in declared_signals(cls).items():
        hint = signal.hint if signal.hint is not Any else annotated.get(signal.attribute)
        if hint is not None and hint is not type(signal) and typing.get_origin(hint) is not type(signal):
            found[name] = hint
    return found


def _worded(hint: object) -> str:
    if hint is None:
        return ''
    return hint.__name__ if isinstance(hint, type) else str(hint).replace('typing.', '')


def update_forms_of(diagnosis: Diagnosis) -> list[UpdateForm]:
    """The forms for the updates that an open execution takes, where its class is known."""
    code = diagnosis.code
    if code is None or not diagnosis.view.is_open:
        return []
    return [update_form_of(name, getattr(code.spec.cls, name)) for name in updates_of(code.spec.cls)]


def update_form_of(name: str, method: Any) -> UpdateForm:
    """The form of an update."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    hints = _hints(method)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one for one in parameters if one.default is one.empty and one.kind in positional]
    shown = ', '.join(str(one) for one in parameters)
    example = json.dumps([_blank(hints.get(one.name)) for one in needed], ensure_ascii=False)
    return UpdateForm(name, f'({shown})', example)
