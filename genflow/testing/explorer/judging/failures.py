"""Judges of failures: one that nobody waits for, and one that shows a mistake in the code."""

from __future__ import annotations

import dis

from genflow.core.errors import DefinitionError, ScheduleFailed, TaskCanceled, TaskFailed, YieldError
from genflow.core.text import failed_at
from genflow.testing.explorer.judging.baseline import NEVER_RUN, Baseline
from genflow.testing.explorer.places import LIBRARIES, shown_place
from genflow.testing.explorer.playing.choices import ALREADY_RUNNING
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['mistaken', 'raised_at', 'untaken']

MISTAKES = (
    TypeError,
    AttributeError,
    NameError,
    LookupError,
    AssertionError,
    ZeroDivisionError,
    RecursionError,
    SystemExit,
    UnicodeError,
    YieldError,
    DefinitionError,
)
"""Exceptions that show a mistake in the code, unless it raises them itself."""


UNLESS_RAISED = (ValueError, ArithmeticError, RuntimeError)
"""Exceptions that show one where no ``raise`` makes them, such as that a dict changed while it was iterated."""


def untaken(run: Simulation, first: Baseline) -> str | None:
    if not run.unretrieved or isinstance(run.failure, ScheduleFailed):  # anything may be refused, also of a stub
        return None
    place = raised_at(run.failure) if run.failure is not None else ''
    return f'the failure of {run.unretrieved} fails the execution, and nobody waited for it: {run.failure}{place}'


def mistaken(run: Simulation, first: Baseline) -> str | None:
    error = run.failure
    if run.started_twice and isinstance(error, ScheduleFailed) and error.cause == ALREADY_RUNNING:
        return f'the code starts a child with the id {run.started_twice!r} while its own child of that id is open'
    if isinstance(error, YieldError) and 'None' not in str(error):  # None is what a call without a stub gives
        return _failing(error)
    if not first.completes:
        return None
    return _mistaken_failure(run) or run.broken_update or (_never_run(run) if not first.drops else None)


def _mistaken_failure(run: Simulation) -> str | None:
    error = run.failure
    if isinstance(error, TaskCanceled) and run.cancel_at is None:
        return f'the code cancels a task, and fails since it asks for its result: {type(error).__name__}: {error}'
    if isinstance(error, TaskFailed) or (isinstance(error, DefinitionError) and _has_made_up_value(run)):
        return None
    if isinstance(error, MISTAKES):
        is_meant = not isinstance(error, (AssertionError, SystemExit)) and _is_raised(error, by_user=True)
        return None if is_meant else _failing(error)
    if isinstance(error, UNLESS_RAISED) and not _is_raised(error, by_user=False):
        return _failing(error)
    return None


def _has_made_up_value(run: Simulation) -> bool:
    """Whether a signal brought a value such as an empty text, which may be no id or no number of seconds."""
    return any(step.verb == 'signal' and step.outcome.startswith('with ') for step in run.steps)


def _never_run(run: Simulation) -> str | None:
    """A generator that the code makes and drops."""
    if run.closed is None or run.closed.how != 'completed':
        return None
    report = next((text for text in (*run.warnings, *run.live.warnings) if NEVER_RUN in text), None)
    return None if report is None else report.partition(': ')[2]


def _failing(error: BaseException) -> str:
    return f'the code fails{raised_at(error)}, with {type(error).__name__}: {error}'


def raised_at(error: BaseException) -> str:
    place = shown_place(failed_at(error))
    return f' at {place}' if place else ''


def _is_raised(error: BaseException, *, by_user: bool) -> bool:
    """Whether a ``raise`` made an exception, and not the interpreter; ``by_user`` asks for one in the user's code."""
    place = error.__traceback__
    if place is None:
        return not by_user
    while place.tb_next is not None:
        place = place.tb_next
    code = place.tb_frame.f_code
    if by_user and code.co_filename.startswith(LIBRARIES):
        return False
    instructions = code.co_code
    at = place.tb_lasti
    return 0 <= at < len(instructions) and dis.opname[instructions[at]] in ('RAISE_VARARGS', 'RERAISE')
