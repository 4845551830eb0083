"""Values and places of the user's code in messages: short, and the same in every process.

A message may end up in what a workflow answers, which a replay elsewhere has to give again to the letter. A place is
kept cheaply at each call, and turned into text only for a message.
"""

from __future__ import annotations

import re
from types import CodeType, GeneratorType, TracebackType
from typing import Any

__all__ = [
    'BROKEN',
    'Location',
    'counted',
    'failed_at',
    'line_of',
    'place',
    'raised_at',
    'short',
    'suspended_at',
    'traceback_of',
    'without_first_frame',
]

BROKEN = (Exception, SystemExit, GeneratorExit)
"""What the methods of a user's object may raise while it is read; all but Ctrl-C, which ends a test."""

_TRACEBACK: Any = vars(BaseException)['__traceback__']

ADDRESS = re.compile(r' at 0x[0-9a-fA-F]+')


def short(value: Any, length: int = 80) -> str:
    """The beginning of a value's ``repr``, without addresses in memory or the order of hashes; never raises."""
    if isinstance(value, GeneratorType):
        text = f'{value.__name__}()'
    elif isinstance(value, (set, frozenset)):
        text = '{' + ', '.join(sorted(map(_repr, value))) + '}'
    else:
        text = ADDRESS.sub('', _repr(value))
    return text if len(text) <= length else f'{text[:length]}…'


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number and what it counts, such as ``1 order`` or ``2,000 histories``; the plural has an s unless given."""
    return f'{number:,} {noun if number == 1 else plural or noun + "s"}'


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except BROKEN as error:  # too deep, or a broken __repr__ of the user's: the message goes out all the same
        return f'<a {type(value).__name__} whose repr raised {type(error).__name__}>'


Location = tuple[CodeType, int]
"""A code object and the offset of the instruction: two attribute reads, while a line number would be computed."""


def line_of(where: Location) -> int:
    """The line of an instruction."""
    code, offset = where
    for start, end, line in code.co_lines():
        if start <= offset < end and line is not None:
            return line
    return code.co_firstlineno


def place(where: Location | None) -> str:
    """``file:line in function``."""
    if where is None:
        return 'an unknown place'
    return f'{where[0].co_filename}:{line_of(where)} in {where[0].co_name}'


def suspended_at(generator: GeneratorType[Any, Any, Any]) -> str:
    """Where a suspended generator stands, followed into those of the user's that it delegates to."""
    found = generator
    inner: Any = generator.gi_yieldfrom
    while isinstance(inner, GeneratorType):
        if not inner.gi_code.co_filename.startswith(_OWN):
            found = inner
        inner = inner.gi_yieldfrom
    frame = found.gi_frame
    return 'finished' if frame is None else f'{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}'


def traceback_of(error: BaseException) -> TracebackType | None:
    """The traceback of an exception; a class of the user's may have an attribute of that name which raises."""
    trace: TracebackType | None = _TRACEBACK.__get__(error)
    return trace


def without_first_frame(error: BaseException) -> BaseException:
    """The exception without the frame in which the engine called the user's code."""
    trace = traceback_of(error)
    return error if trace is None else BaseException.with_traceback(error, trace.tb_next)


def failed_at(error: BaseException) -> str:
    """The last line of the user's that an exception passed on its way out; empty where that is not known."""
    found = ''
    trace = traceback_of(error)
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(_PACKAGE):
            found = f'{code.co_filename}:{trace.tb_lineno} in {code.co_name}'
        trace = trace.tb_next
    return found


def raised_at(error: BaseException) -> str:
    """Where an exception was raised."""
    trace = traceback_of(error)
    if trace is None:
        return 'an unknown place'
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f'{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno} in {trace.tb_frame.f_code.co_name}'


_OWN = __file__.replace('text.py', '')
_PACKAGE = __file__.replace('core/text.py', '').replace('core\\text.py', '')
