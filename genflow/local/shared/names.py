"""Names of processes that tell for ever whether the process is still there."""

from __future__ import annotations

import os
import uuid
from functools import cache
from pathlib import Path

__all__ = ['give_up', 'is_alive', 'machine', 'new_name', 'started']

_OURS: set[str] = set()
"""The names that this process goes by: one for each file that it has open."""

_STATE = 0
_STARTED = 19
"""Fields of ``/proc/PID/stat``, counted from behind the name of the program."""

_HAS_PROC = Path('/proc/self/stat').exists()
_BOOT = Path('/proc/sys/kernel/random/boot_id')


def new_name() -> str:
    """A name for this process, until it is given up."""
    name = f'{os.getpid()}.{started(os.getpid())}.{uuid.uuid4().hex[:12]}'
    _OURS.add(name)
    return name


def give_up(name: str) -> None:
    """This process does not go by that name any more."""
    _OURS.discard(name)


def is_alive(name: str) -> bool:
    """Whether the process of that name is there, and has not given the name up."""
    pid, _, rest = name.partition('.')
    if not pid.isdecimal():
        return False
    if int(pid) == os.getpid():
        return name in _OURS
    return started(int(pid)) == rest.partition('.')[0]


def started(pid: int) -> str:
    """When a process began, as the system counts; empty where there is none of that id."""
    if _HAS_PROC:
        try:
            text = Path(f'/proc/{pid}/stat').read_text(encoding='ascii', errors='replace')
        except OSError:
            return ''
        fields = text.rpartition(')')[2].split()
        return '' if fields[_STATE] in {'Z', 'X'} else fields[_STARTED]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ''
    except OSError:
        return '0'
    return '0'


@cache
def machine() -> tuple[str, str]:
    """Which machine this is, and since when it runs: host name and boot id."""
    host = os.uname().nodename if hasattr(os, 'uname') else os.environ.get('COMPUTERNAME', '')
    try:
        return host, _BOOT.read_text(encoding='ascii').strip()
    except OSError:
        return host, ''
