"""How a suspended generator is closed.

Closing is done by hand (:func:`close_generator`) on the decider's thread, from the innermost generator of a
``yield from`` chain outwards, because CPython's own ``close()`` gives up on an outer generator as soon as an inner one
yields in a ``finally``, and would leave the rest to the garbage collector.
"""

from __future__ import annotations

import sys
from types import GeneratorType
from typing import Any

__all__ = ['MAX_DRAINS', 'close_generator']

MAX_DRAINS = 1_000
"""How many ``yield``s in ``finally`` blocks are drained while one branch is closed before it is given up."""

UNCLOSABLE = 'genflow_unclosable'
"""The attribute of ``sys`` that keeps the generators which ignore being closed.

Whatever frees such a generator tries to close it once more, and prints that it will not. The interpreter frees the
members of modules when it ends, and those of ``sys`` last, when there is nowhere left to print to.
"""


def close_generator(generator: GeneratorType[Any, Any, Any], passing: tuple[type[BaseException], ...]) -> bool:
    """Closes a suspended generator and those that it delegates to, innermost first; what they raise is dropped.

    A ``finally`` that delegates to a new generator leaves that one to be closed before it is gone on with.

    Args:
        generator: What to close.
        passing: The exceptions that are not dropped.

    Returns:
        Whether it closed. One that goes on yielding is kept for ever instead (:data:`UNCLOSABLE`).
    """
    open_ones = _delegating(generator)
    drained = 0
    while open_ones and drained < MAX_DRAINS:
        if _ends(open_ones[-1], passing):
            open_ones.pop()
        else:
            drained += 1
            open_ones += _delegating(open_ones[-1])[1:]
    if open_ones:
        vars(sys).setdefault(UNCLOSABLE, []).append(generator)
    return not open_ones


def _delegating(generator: GeneratorType[Any, Any, Any]) -> list[GeneratorType[Any, Any, Any]]:
    """The generator and those that it delegates to, the innermost last."""
    chain = [generator]
    while isinstance(chain[-1].gi_yieldfrom, GeneratorType):
        chain.append(chain[-1].gi_yieldfrom)
    return chain


def _ends(generator: GeneratorType[Any, Any, Any], passing: tuple[type[BaseException], ...]) -> bool:
    """Whether a generator that delegates to none comes to its end by being closed; otherwise it has yielded."""
    try:
        generator.throw(GeneratorExit())
    except passing:
        raise
    except BaseException:  # noqa: BLE001 - the rules drop whatever code raises that runs only because a generator is closed
        return True
    return False
