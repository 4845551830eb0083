"""Encodes an exception as the reason and details of a failed activity or workflow, and decodes them.

``reason`` is one line for people, cut to SWF's 256 characters. ``details`` is a JSON envelope with the exception's
module and qualified name, those of its bases, its arguments where JSON can hold them, and the traceback, cut until it
fits into SWF's 32,768 characters. Both can always be sent, whatever the exception's text holds. The reader takes any
text: what is no envelope stays as it is in ``details``.
"""

from __future__ import annotations

import sys
import traceback as tracebacks
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from genflow.core.errors import MAX_RETRY_LATER, GenflowError, TaskFailed
from genflow.core.model.wire_names import FAILURE_ENVELOPE, RETRY_LATER
from genflow.core.payloads.hooks import MAX_PAYLOAD, decode, encode
from genflow.core.payloads.wire_text import shortened, units
from genflow.core.text import BROKEN, traceback_of

__all__ = [
    'MAX_REASON',
    'RemoteFailure',
    'decode_failure',
    'described',
    'encode_details',
    'encode_failure',
    'qualified_name',
    'users_traceback',
]

MAX_REASON = 256
"""Characters of a reason: SWF's ``FailureReason`` shape."""

MAX_CHAINED = 100
"""How many exceptions of one chain a traceback shows; a loop that fails in its own ``except`` makes thousands."""

_PACKAGE = __file__[: -len('core/payloads/failures.py')]


@frozen
class RemoteFailure:
    """An exception of the other side, as it was recorded.

    Attributes:
        reason: The exception in one line, at most 256 characters.
        details: The recorded details where they are no envelope, else ``None``.
        traceback: The remote traceback, or ``None``.
        names: Module and qualified name of the exception's class and of its bases, most derived first.
        args: The exception's ``args`` where JSON could hold them, else ``None``.
        heartbeat: The details of the attempt's last heartbeat, or ``None``.
    """

    reason: str | None
    details: str | None
    traceback: str | None = None
    names: tuple[str, ...] = ()
    args: tuple[Any, ...] | None = None
    heartbeat: str | None = None

    @property
    def retry_after(self) -> float | None:
        """The seconds of a ``RetryLater``; ``None`` for any other exception."""
        seconds = self.args[0] if self.args and RETRY_LATER in self.names else None
        return seconds if isinstance(seconds, (int, float)) and 0 <= seconds <= MAX_RETRY_LATER else None

    def rebuilt(self, classes: tuple[type[BaseException], ...]) -> BaseException | None:
        """The exception of the first recorded name that one of ``classes`` has, or ``None``.

        Nothing is imported: only the classes given are ever made. A class whose constructor refuses the recorded
        arguments gives ``None``.
        """
        if self.args is None:
            return None
        known = {qualified_name(cls): cls for cls in classes}
        for name in self.names:
            if name in known:
                try:
                    return known[name](*self.args)
                except TypeError:
                    return None
        return None


def qualified_name(cls: type) -> str:
    return f'{cls.__module__}.{cls.__qualname__}'


def encode_failure(
    error: BaseException, traceback: str | None = None, *, heartbeat: str | None = None
) -> tuple[str, str]:
    """``(reason, details)`` of an exception, both within SWF's limits; never raises.

    Args:
        error: The exception; its ``__traceback__`` is used unless ``traceback`` is given.
        traceback: The traceback as text.
        heartbeat: The details of the failed attempt's last heartbeat, for the next attempt.
    """
    reason = described(error)
    if traceback is None:
        traceback = users_traceback(error)
    names = [qualified_name(cls) for cls in type(error).__mro__ if cls not in (object, BaseException)]
    envelope: dict[str, Any] = {FAILURE_ENVELOPE: 1, 'names': names, 'args': _json_or_none(error)}
    if heartbeat is not None:
        envelope['heartbeat'] = heartbeat
    return shortened(reason, MAX_REASON), _fitted(envelope, traceback)


def users_traceback(error: BaseException) -> str:
    """The traceback without genflow's own frames, except one that raised something that is not genflow's error.

    What lies between two frames of the user's differs between a replay and a live decision. Never raises: an exception
    whose own attributes raise has no more than its class to show.
    """
    try:
        return _formatted(error)
    except BROKEN as broken:
        return f'{type(error).__qualname__}: its traceback cannot be shown ({type(broken).__qualname__})\n'


def _formatted(error: BaseException) -> str:
    whole = tracebacks.TracebackException(type(error), error, traceback_of(error), lookup_lines=False)
    pending: list[tuple[tracebacks.TracebackException | None, BaseException | None]] = [(whole, error)]
    left = MAX_CHAINED
    while pending:
        part, shown = pending.pop()
        if part is None or shown is None:
            continue
        left -= 1
        part.stack[:] = _users_frames(part.stack, keep_last=not isinstance(shown, GenflowError))
        if left > 0:
            pending += [(part.__cause__, shown.__cause__), (part.__context__, shown.__context__)]
        else:
            part.__cause__ = part.__context__ = None
    text = ''.join(whole.format())
    if sys.version_info < (3, 11):  # from then on notes are a part of what is formatted; `exceptiongroup` adds them too
        text += ''.join(f'{note}\n' for note in getattr(error, '__notes__', ()) if note not in text)
    return text


def _users_frames(stack: Sequence[tracebacks.FrameSummary], *, keep_last: bool) -> list[tracebacks.FrameSummary]:
    last = len(stack) - 1
    return [
        frame
        for place, frame in enumerate(stack)
        if not frame.filename.startswith(_PACKAGE) or (keep_last and place == last)
    ]


def described(error: BaseException) -> str:
    """An exception in one line: its class and its message; never raises."""
    message = _message(error)
    return f'{type(error).__qualname__}: {message}' if message else type(error).__qualname__


def _message(error: BaseException) -> str:
    """What an exception says; never raises."""
    try:
        # The details have the remote traceback: in a reason, which is for one line, nothing else would fit.
        text = error.message if isinstance(error, TaskFailed) else str(error)
        return str.__str__(text)  # a subclass of str may have methods that raise
    except BROKEN:  # must not hide the failure itself
        return '<the exception has no readable text>'


def _json_or_none(error: BaseException) -> list[Any] | None:
    """The arguments of an exception as the other side reads them; ``None`` where JSON cannot hold them."""
    try:
        values: list[Any] = decode(encode(list(error.args)))
    except BROKEN:
        return None
    return values


def _fitted(envelope: dict[str, Any], traceback: str) -> str:
    """The envelope with as much of the traceback's end as fits; without its arguments where they alone are too long."""
    if units(encode(envelope)) > MAX_PAYLOAD // 2:
        envelope = {**envelope, 'args': None, 'names': [name[:MAX_REASON] for name in envelope['names'][:20]]}
    keep = len(traceback)
    while True:
        tail = traceback if keep >= len(traceback) else '…' + traceback[len(traceback) - keep :]
        text = encode({**envelope, 'traceback': tail})
        if units(text) <= MAX_PAYLOAD:
            return text
        keep = min(keep * 3 // 4, MAX_PAYLOAD)


def encode_details(details: str, heartbeat: str | None) -> str:
    """Details in words of genflow's own, with the last heartbeat where there was one."""
    if heartbeat is None:
        return details
    return encode({FAILURE_ENVELOPE: 1, 'names': [], 'details': details, 'heartbeat': heartbeat})


def decode_failure(reason: str | None, details: str | None) -> RemoteFailure:
    """Reads what :func:`encode_failure` wrote; any other text is kept as it is."""
    if details is None or FAILURE_ENVELOPE not in details:
        return RemoteFailure(reason, details)
    try:
        envelope = decode(details)
        names = tuple(str(name) for name in envelope['names'])
        args = envelope.get('args')
        traceback = envelope.get('traceback')
        own_details = envelope.get('details')
        heartbeat = envelope.get('heartbeat')
    except (ValueError, TypeError, KeyError, AttributeError):
        return RemoteFailure(reason, details)
    return RemoteFailure(
        reason,
        own_details if isinstance(own_details, str) else None,
        traceback if isinstance(traceback, str) else None,
        names,
        tuple(args) if isinstance(args, list) else None,
        heartbeat if isinstance(heartbeat, str) else None,
    )
