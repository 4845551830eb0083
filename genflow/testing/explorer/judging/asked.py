"""Compares calls: by name and arguments, without idempotency keys."""

from __future__ import annotations

import re

from genflow.testing.explorer.inputs.setup import Asked
from genflow.testing.explorer.playing.calls import Call
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['asked', 'what_is_asked', 'words_of']

KEY_NAMES = frozenset({'idempotency_key', 'idempotencykey', 'idempotency_token', 'request_token', 'client_token'})


def what_is_asked(run: Simulation, call: Call) -> tuple[str, str]:
    """What a call asks for: its name and its arguments, idempotency keys left out, which differ from call to call."""
    return asked(run, call).what


def asked(run: Simulation, call: Call) -> Asked:
    """What a call asks for, and its idempotency key; cached for all calls of a type with the same input."""
    same = (call.kind, call.name, call.input)
    known = run.setup.asked.get(same)
    if known is None:
        known = run.setup.asked[same] = _read(run, call)
    return known


def _read(run: Simulation, call: Call) -> Asked:
    names = run.parameters(call)
    named = [(names[place] if place < len(names) else '', value) for place, value in enumerate(call.args)]
    args = [value for name, value in named if name.lower() not in KEY_NAMES]
    keywords = {name: value for name, value in call.kwargs.items() if name.lower() not in KEY_NAMES}
    keys = [value for name, value in (*call.kwargs.items(), *named) if name.lower() in KEY_NAMES]
    key = keys[0] if keys else None
    return Asked((call.name, repr((args, keywords))), key, repr(key))


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: the same for ``BookHotel`` and ``book_hotel``."""
    return [word.lower() for word in re.findall(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+', name)]
