"""Commands that are printed for people, read by the parser of the command line as if somebody typed them."""

from __future__ import annotations

import shlex
from typing import Any

import click

from genflow.tools.cli.main import cli
from genflow.tools.cli.settings import Settings


def typed(line: str) -> tuple[str, dict[str, Any]]:
    """The name of the command and its parameters; raises what the parser raises, and runs nothing."""
    program, *words = shlex.split(line)
    assert program == 'genflow'
    with click.Context(cli, info_name='genflow', obj=Settings()) as ctx:
        name, command, rest = cli.resolve_command(ctx, words)
        assert name is not None
        with command.make_context(name, rest, parent=ctx) as inner:
            return name, inner.params
