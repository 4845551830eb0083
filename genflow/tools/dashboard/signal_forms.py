"""The signals that an execution may be sent, each with a form that suits its type hint."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from attrs import frozen

from genflow.core.tasks.signals import Signal, declared_signals
from genflow.insight import Diagnosis

__all__ = ['SignalForm', 'forms_of']

KINDS = {bool: 'bool', int: 'number', float: 'number'}


@frozen
class SignalForm:
    """A form for one signal.

    Attributes:
        name: Of the signal; empty where nobody knows which one the code waits for.
        kind: ``bool``, ``number`` or ``value``.
        hint: The type hint, in words.
        is_awaited: Whether the code waits for it now.
    """

    name: str
    kind: str = 'value'
    hint: str = ''
    is_awaited: bool = True


def forms_of(diagnosis: Diagnosis) -> list[SignalForm]:
    """The forms for the signals that an execution waits for."""
    return list(_forms(diagnosis)) if diagnosis.view.is_open else []


def _forms(diagnosis: Diagnosis) -> Iterator[SignalForm]:
    code = diagnosis.code
    if code is not None:
        hints = hints_of(code.spec.cls)
        for name in dict.fromkeys(code.awaited):
            hint = hints.get(name)
            yield SignalForm(name, KINDS.get(hint, 'value') if isinstance(hint, type) else 'value', worded(hint))
    elif diagnosis.view.pending_decision is None and not _waits(diagnosis):
        yield SignalForm('')


def _waits(diagnosis: Diagnosis) -> bool:
    return any(not one.is_of_engine for one in diagnosis.view.open_operations())


def hints_of(cls: type) -> dict[str, object]:
    """The types of a class's signals, by their names: ``Signal[bool]()``, or ``approve: bool = Signal()``."""
    try:
        annotations: dict[str, object] = typing.get_type_hints(cls)
    except Exception:  # noqa: BLE001 - hints are the user's: what cannot be read is no hint
        annotations = {}
    found = {
        name: annotations.get(signal.attribute) if signal.hint is typing.Any else signal.hint
        for name, signal in declared_signals(cls).items()
    }
    return {name: hint for name, hint in found.items() if hint is not None and not _is_signal(hint)}


def _is_signal(hint: object) -> bool:
    return Signal in (hint, typing.get_origin(hint))


def worded(hint: object) -> str:
    if hint is None:
        return ''
    return hint.__name__ if isinstance(hint, type) else str(hint)
