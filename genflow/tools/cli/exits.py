"""How the command line ends: its exit codes, and the errors that are shown in one line instead of a traceback."""

from __future__ import annotations

from enum import IntEnum

import click

__all__ = ['Exit', 'Refused']


class Exit(IntEnum):
    """The exit codes of every command."""

    COMPLETED = 0
    INTERNAL = 1  # genflow's own fault: shown with its traceback
    USAGE = 2
    CLOSED_OTHERWISE = 3  # failed, timed out, canceled, terminated; or a workflow that cannot go on
    MISMATCH = 6  # a recorded history does not agree with the code
    INTERRUPTED = 130  # Ctrl-C


class Refused(click.ClickException):
    """Something that the user asked for cannot be done; shown as one message, the exit code is 2."""

    exit_code = Exit.USAGE
