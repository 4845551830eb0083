"""``genflow shadow``: checks that code that is about to be deployed follows the executions of a domain."""

from __future__ import annotations

from typing import Any

import click

from genflow.tools.cli.services import layer1_options
from genflow.tools.cli.settings import setting_options

__all__ = ['command']


@click.command('shadow')
@click.argument('target')
@setting_options('domain')
@click.option('--type', 'type_name', help='Only executions of this workflow type.')
@click.option('--since', default='7d', show_default=True, help='How far back to look for closed executions.')
@click.option('--open-only', is_flag=True, help='No closed executions.')
@click.option('--limit', type=click.IntRange(1), help='The most executions to check.')
@click.option('--cache', type=click.Path(file_okay=False), help='Cache histories in this folder, and resume from it.')
@click.option('--histories', type=click.Path(exists=True), help='A folder of histories to check instead of a domain.')
@click.option('--strict', is_flag=True, help='Also treat an input that differs from the recorded one as a mismatch.')
@click.option('--junit', type=click.Path(dir_okay=False), help='Also write the report as JUnit XML.')
@click.option('--json', 'as_json', is_flag=True, help='Print the report as JSON.')
@layer1_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Replay the executions of a domain against TARGET: a file or module, or one workflow class of it.

    Nothing is written to the domain: executions are listed and their histories read, at half of SWF's rates.

    Exit codes: 0 all of them follow the code, 6 some do not, 2 wrong usage.
    """
    from genflow.tools.cli.checking.shadowing import check

    check(ctx, **options)
