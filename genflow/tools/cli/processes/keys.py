"""Single keys that are pressed at the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ['keys_pressed']

LOOK = 0.2  # seconds between two checks whether to stop


@contextmanager
def keys_pressed(tell: Callable[[str], None]) -> Iterator[None]:
    """Reports each pressed key, from a thread; does nothing if stdin is not a terminal.

    Args:
        tell: Called with the key.
    """
    if not sys.stdin or not sys.stdin.isatty() or os.name != 'posix':
        yield
        return
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    over = threading.Event()
    thread = threading.Thread(target=_read, args=(fd, tell, over), daemon=True)
    tty.setcbreak(fd)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _read(fd: int, tell: Callable[[str], None], over: Any) -> None:
    with contextlib.suppress(OSError):
        while not over.is_set():
            if select.select([fd], [], [], LOOK)[0]:
                key = os.read(fd, 1)
                if not key:
                    return
                tell(key.decode('ascii', 'replace').lower())
