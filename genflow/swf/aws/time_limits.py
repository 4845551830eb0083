"""A call that may take longer than its caller can wait: made in a thread, which is left behind when time is up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from genflow.steady_time import monotonic

__all__ = ['within']

CLOSE_CHECK = 0.1
"""Seconds between two looks at whether waiting has become pointless."""


def within(seconds: float, work: Callable[[], Any], is_over: Callable[[], bool]) -> Any:
    """What ``work`` returns or raises.

    The thread ends with the call, which nothing can interrupt: at the latest after the client's own time-outs.

    Args:
        seconds: For which the caller waits.
        work: The call.
        is_over: Whether waiting has become pointless.

    Raises:
        TimeoutError: It has not come back, or is not waited for any more.
    """
    ends = monotonic() + seconds
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
    threading.Thread(target=_make, args=(work, answers), name='genflow-client-call', daemon=True).start()
    while (left := ends - monotonic()) > 0 and not is_over():
        try:
            answer, error = answers.get(timeout=min(left, CLOSE_CHECK))
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return answer
    raise TimeoutError('the client was closed' if is_over() else f'no answer within {seconds:.1f} seconds')


def _make(work: Callable[[], Any], answers: queue.SimpleQueue[tuple[Any, BaseException | None]]) -> None:
    try:
        answers.put((work(), None))
    except BaseException as error:  # noqa: BLE001 - the one who waits gets it
        answers.put((None, error))
