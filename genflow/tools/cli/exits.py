"""The exit codes of the command line, and the errors that are shown as one line instead of a traceback."""

from __future__ import annotations

from enum import IntEnum

import click

__all__ = ['Exit', 'Refused', 'Unavailable']


class Exit(IntEnum):
    """The exit codes of every command."""

    COMPLETED = 0
    INTERNAL = 1  # genflow's own fault, shown with its traceback; or a result that could not be written
    USAGE = 2
    CLOSED_OTHERWISE = 3  # failed, timed out, canceled, terminated; or a workflow that cannot go on
    UNAVAILABLE = 5  # nothing answers, or the file is in use: the same command may succeed later
    MISMATCH = 6  # a recorded history does not agree with the code
    TROUBLE = 7  # `genflow why` found something wrong
    FOUND = 8  # an exploration, or a look at the code, found something wrong
    INTERRUPTED = 130  # Ctrl-C


class Refused(click.ClickException):
    """The command cannot be carried out. It is shown as one message; the exit code is 2."""

    exit_code = Exit.USAGE


class Unavailable(Refused):
    """The command cannot be carried out now, but perhaps later; the exit code is 5."""

    exit_code = Exit.UNAVAILABLE
