"""Envelopes: JSON around an input that carries headers or signals beside the arguments.

Headers are what middleware sends along with the input of an execution, activity or child. An input without headers
travels as it is, so that nothing changes where nobody sends any. Only the worker that is to work on an input opens its
envelope; serialization hooks never see it. The engine compares inputs without their headers, so that a worker may begin
or cease to send some while executions run.

A restart sends its unread signals along with the input of the next run, if there are any.
"""

from __future__ import annotations

from collections.abc import Mapping

from genflow.core.model.wire_names import HEADERS_ENVELOPE, RESTART_ENVELOPE
from genflow.core.payloads.hooks import MAX_PAYLOAD, decode, encode
from genflow.core.payloads.wire_text import units

__all__ = ['input_of', 'opened', 'opened_input', 'restart_input', 'wrapped']

BEGINNING = f'{{"{HEADERS_ENVELOPE}":'
"""How an input with headers begins, and no other."""

MEMBERS = {HEADERS_ENVELOPE, 'input'}


def wrapped(text: str | None, headers: Mapping[str, str]) -> str | None:
    """An input with headers; without them if there are none, or if both together exceed SWF's limit.

    Raises:
        TypeError: A header is no text.
    """
    if not headers:
        return text
    for name, value in headers.items():
        if type(value) is not str or type(name) is not str:  # as a middleware that knows no types may have it
            raise TypeError(f'the header {name!r} is {value!r}; names and values of headers are text')
    envelope = encode({HEADERS_ENVELOPE: dict(headers), 'input': text})
    return envelope if units(envelope) <= MAX_PAYLOAD else text


def opened(text: str | None) -> tuple[dict[str, str], str | None]:
    """The headers of an input, and the input itself. A text that is no envelope is an input without headers."""
    if text is None or not text.startswith(BEGINNING):
        return {}, text
    try:
        envelope = decode(text)
    except ValueError:
        return {}, text
    headers, own = envelope[HEADERS_ENVELOPE], envelope.get('input')
    if set(envelope) != MEMBERS or not isinstance(headers, dict) or not isinstance(own, str | None):
        return {}, text
    if not all(isinstance(value, str) for value in headers.values()):
        return {}, text
    return headers, own


def input_of(text: str | None) -> str | None:
    """An input without the headers that came with it."""
    return text if text is None or not text.startswith(BEGINNING) else opened(text)[1]


def restart_input(text: str, signals: tuple[tuple[str, str | None], ...]) -> str:
    """The input of the next run: in an envelope if there are unread signals, else unchanged."""
    if not signals:
        return text
    return encode({RESTART_ENVELOPE: 1, 'input': text, 'signals': [list(signal) for signal in signals]})


def opened_input(text: str | None) -> tuple[str | None, list[tuple[str, str | None]]]:
    """A run's own input and the signals that the run before it left."""
    if text is None or not text.startswith(f'{{"{RESTART_ENVELOPE}":'):
        return text, []
    envelope = decode(text)
    return envelope['input'], [(name, value) for name, value in envelope['signals']]
