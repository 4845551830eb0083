"""How ``genflow shadow`` checks the executions of a domain."""

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
from genflow.testing.replayer import history_files
from genflow.tools.cli.checking.replay import workflows_of
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.services import opened, refusing
from genflow.tools.cli.streams import write_file
from genflow.tools.shadow import Fetcher, Forbidden, Shadow, Wanted, shadow_executions, shadow_files, since_of
from genflow.tools.targets.target import TargetError

__all__ = ['check']


def check(
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
    """Carry out ``genflow shadow``."""
    if domain is not None and ctx.get_parameter_source('domain') is not ParameterSource.COMMANDLINE and histories:
        domain = None  # a setting that stands elsewhere is no contradiction
    if (domain is None) == (histories is None):
        raise click.UsageError('give --domain, or --histories.')
    try:
        specs = workflows_of(target)
        if histories is not None:
            files = len(list(history_files(Path(histories))))
            with _progress(lambda: files) as tick:
                shadow = shadow_files([histories], specs, strict=strict, tick=tick)
        else:
            names = {spec.name for spec in specs}
            if type_name is not None and type_name not in names:
                raise Refused(f'{target} has no workflow type {type_name!r}; it has {", ".join(sorted(names))}.')
            wanted = Wanted(str(domain), type_name, since_of(since), open_only, limit)
            shadow = _of_domain(wanted, specs, cache, (endpoint, db), strict=strict)
    except (TargetError, ValueError, HistoryError, Forbidden, OSError) as error:
        raise Refused(str(error)) from error
    if junit is not None:
        write_file(junit, [shadow.to_junit()])
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
    with opened(*where) as layer1, refusing(domain=wanted.domain):
        fetcher = Fetcher(RetryingClient(connect(layer1)), None if cache is None else Path(cache))
        with _progress(lambda: fetcher.listed) as tick:
            return shadow_executions(fetcher, wanted, specs, strict=strict, tick=tick)


@contextmanager
def _progress(total: Callable[[], int]) -> Iterator[Callable[[], None]]:
    """Shows progress on a terminal; the total grows with each page of executions that is listed."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=0, label='replaying', file=sys.stderr, show_eta=False, show_pos=True) as bar:

        def tick() -> None:
            bar.length = max(total(), bar.pos + 1)
            bar.finished = False  # it may have come to the end of the pages that were listed before
            bar.update(1)

        yield tick
