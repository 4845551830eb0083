"""An exception of a signal handler while something is opened leaves nothing locked for other threads."""

from __future__ import annotations

import threading

from genflow.local import forks
from tests.interrupting import Interrupted, Lines


def test_an_interruption_anywhere_leaves_the_lock_to_others():
    number, interrupted, kept = 0, True, []
    while interrupted:
        number, interrupted = number + 1, False
        try:
            with Lines(number), forks.opening():
                pass
        except Interrupted as error:
            interrupted = True
            kept.append(error)  # as a debugger or a test's report does, and with it the frames
        assert is_free()
    assert number > 1


def is_free():
    """Whether another thread can open something."""
    found = []

    def look():
        lock = forks._PROCESS.opening  # noqa: SLF001
        found.append(lock.acquire(blocking=False))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found == [True]
