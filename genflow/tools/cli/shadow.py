"""``genflow shadow``: the executions of a domain against the code that is about to be deployed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from click.core import ParameterSource

from genflow.core.errors import HistoryError
from genflow.core.model.registry import WorkflowSpec
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.replay import workflows_of
from genflow.tools.cli.services import layer1_options, opened, refusing
from genflow.tools.cli.settings import setting_options
from genflow.tools.run.target import TargetError
from genflow.tools.shadow import Fetcher, Shadow, Wanted, shadow_executions, shadow_files, since_of

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
def command(
    ctx: click.Context,
    *,
    target: str,
    domain: str | None,
    type_name: str | None,
    since: str,
    open_only: bool,
    limit: int | None,
    cache: str | None,
    histories: str | None,
    strict: bool,
    junit: str | None,
    as_json: bool,
    endpoint: str | None,
    db: str | None,
) -> None:
    """Replay the executions of a domain against TARGET: a file or module, or one workflow class of it.

    Nothing is written to the domain: executions are listed and their histories read, at half of SWF's rates.

    Exit codes: 0 all of them follow the code, 6 some do not, 2 wrong usage.
    """
    if domain is not None and ctx.get_parameter_source('domain') is not ParameterSource.COMMANDLINE and histories:
        domain = None  # a setting that stands elsewhere is no contradiction
    if (domain is None) == (histories is None):
        raise click.UsageError('give --domain, or --histories.')
    try:
        specs = workflows_of(target)
        if histories is not None:
            shadow = shadow_files([histories], specs, strict=strict)
        else:
            wanted = Wanted(str(domain), type_name, since_of(since), open_only, limit)
            shadow = _of_domain(wanted, specs, cache, (endpoint, db), strict=strict)
    except (TargetError, ValueError, HistoryError, OSError) as error:
        raise Refused(str(error)) from error
    if junit is not None:
        Path(junit).write_text(shadow.to_junit(), encoding='utf-8')
    click.echo(json.dumps(shadow.to_json(), ensure_ascii=False, indent=2) if as_json else str(shadow))
    ctx.exit(Exit.COMPLETED if shadow.ok else Exit.MISMATCH)


def _of_domain(
    wanted: Wanted,
    specs: list[WorkflowSpec],
    cache: str | None,
    where: tuple[str | None, str | None],
    *,
    strict: bool,
) -> Shadow:
    with opened(*where) as layer1, refusing(domain=wanted.domain), _progress() as tick:
        fetcher = Fetcher(RetryingClient(connect(layer1)), None if cache is None else Path(cache))
        return shadow_executions(fetcher, wanted, specs, strict=strict, tick=tick)


@contextmanager
def _progress() -> Iterator[Callable[[], None]]:
    """Counts on a terminal; how many there are is not known before all of them have been listed."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=0, label='replaying', file=sys.stderr, show_eta=False, show_pos=True) as bar:

        def tick() -> None:
            bar.length = (bar.length or 0) + 1
            bar.update(1)

        yield tick
