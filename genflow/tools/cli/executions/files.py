"""An execution that a command reads from a file instead of a service."""

from __future__ import annotations

from genflow.core.errors import HistoryError
from genflow.insight import utc
from genflow.tools.cli.exits import Refused
from genflow.tools.executions.gathering import Gathered, from_file

__all__ = ['gathered_of']


def gathered_of(path: str, at: str | None = None, *, target: str | None = None) -> Gathered:
    """Reads an execution as :func:`~genflow.tools.executions.gathering.from_file` does.

    Args:
        path: The file.
        at: The present, as it is typed.
        target: The code that the commands of findings name.

    Raises:
        Refused: It is not a whole history, or cannot be read; or the present is no time.
    """
    try:
        return from_file(path, None if at is None else utc(at), target=target)
    except HistoryError as error:
        raise Refused(str(error)) from error
