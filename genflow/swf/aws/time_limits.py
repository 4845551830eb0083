"""A call that may take longer than its caller can wait: it runs on a thread, which is abandoned when time is up."""

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
    """Returns or raises what ``work`` does, within a time limit.

    The thread ends with the call, which nothing can interrupt: at the latest after the client's own time-outs.

    Args:
        seconds: For which the caller waits.
        work: The call.
        is_over: Whether waiting has become pointless.

    Raises:
        TimeoutError: It has not returned in time, or waiting has become pointless.
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
    raise TimeoutError('the client was closed' if is_over() else f'no answer within {max(seconds, 0):.1f} seconds')


def _make(work: Callable[[], Any], answers: queue.SimpleQueue[tuple[Any, BaseException | None]]) -> None:
    try:
        answers.put((work(), None))
    except BaseException as error:  # noqa: BLE001 - the one who waits gets it
        answers.put((None, error))
