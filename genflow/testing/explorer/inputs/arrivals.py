"""The signals and updates that an exploration sends, as the inputs that arrive at a workflow."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from genflow.core.authoring.updates import updates_of
from genflow.core.model.wire_names import UPDATE_SIGNAL
from genflow.core.payloads.hooks import encode, encode_value
from genflow.core.tasks.signals import Signal, declared_signals, signal_name
from genflow.testing.explorer.inputs.samples import argument_samples, signal_samples

__all__ = ['own_updates', 'signal_texts', 'signal_variants', 'update_texts']


def signal_texts(cls: type, signals: Mapping[Any, Any]) -> dict[str, list[str]]:
    """The inputs of signals by name, from values by attribute, signal or name; a single value is a list of one."""
    texts: dict[str, list[str]] = {}
    for named, values in signals.items():
        own = getattr(cls, named, None) if isinstance(named, str) else named
        name = signal_name(own if isinstance(own, Signal) else named)
        texts[name] = [encode_value(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
    return texts


def update_texts(cls: type, updates: Mapping[str, Any]) -> dict[str, list[str]]:
    """The inputs of signals that carry updates, from values by name: each is one argument, or a tuple of all of them.

    Each update has a queue of its own, so that they arrive in any order.
    """
    made: Any = cls()
    texts: dict[str, list[str]] = {}
    for name, values in updates.items():
        calls = values if isinstance(values, list) else [values]
        for args in calls:
            _check_update(cls, name, args if isinstance(args, tuple) else (args,))
        texts[f'{UPDATE_SIGNAL} {name}'] = [
            _update_text(name, place, made._serialize_arguments(*(args if isinstance(args, tuple) else (args,))))
            for place, args in enumerate(calls, 1)
        ]
    return texts


def _check_update(cls: type, name: str, args: tuple[Any, ...]) -> None:
    signature = inspect.signature(getattr(cls, name))
    try:
        signature.bind(None, *args)
    except TypeError as error:
        raise TypeError(f'{args!r} does not fit the update {cls.__name__}.{name}{signature}: {error}') from None


def _update_text(name: str, place: int, input: str) -> str:
    """What a signal carries of the update that comes in this place of those of its name."""
    return encode({'id': f'{name}-{place}', 'name': name, 'input': input})


def signal_variants(cls: type) -> dict[str, list[str]]:
    """The inputs that the signals of a workflow class may have by their hints, by name."""
    return {name: signal_samples(signal) for name, signal in declared_signals(cls).items()}


def own_updates(cls: type) -> dict[str, str]:
    """The updates of a workflow class that the explorer sends by itself: one input each.

    An argument that has no default has a value by its hint; an update that has one without such a hint is left out.
    """
    made: Any = cls()
    found = {}
    for name in updates_of(cls):
        arguments = argument_samples(cls, name)
        if arguments is not None:
            found[f'{UPDATE_SIGNAL} {name}'] = _update_text(name, 1, made._serialize_arguments(**arguments))
    return found
