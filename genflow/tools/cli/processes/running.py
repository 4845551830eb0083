"""Carries out ``genflow run``, in one process or in several."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import click

from genflow.core.authoring.middleware import Middleware
from genflow.core.errors import DefinitionError, HistoryError, PayloadTooLarge, RegistrationError
from genflow.local.errors import StoreError
from genflow.swf.aws.client import RetryingClient
from genflow.swf.aws.connections import connect
from genflow.swf.aws.registration import register_domain
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.inputs import inputs, shown_value
from genflow.tools.cli.processes.news import warnings_on_stderr
from genflow.tools.cli.services import again_of, opened, refused_store
from genflow.tools.cli.streams import print_result, say
from genflow.tools.executions.outcome import Outcome
from genflow.tools.executions.start import Request, request_of
from genflow.tools.run.defaults import DOMAIN
from genflow.tools.run.views import LiveView, PlainView, View
from genflow.tools.targets.middleware import middleware_of
from genflow.tools.targets.target import TargetError, load

__all__ = ['run']

OWN = ('processes', 'part', 'since', 'is_kept', 'db', 'workflow_id')
"""The options that each process of a shared run gets from the supervisor."""


def run(
    ctx: click.Context,
    *,
    target: str,
    arguments: tuple[str, ...],
    keywords: tuple[str, ...],
    db: str | None,
    workflow_id: str | None,
    activities: int,
    processes: int | None,
    drain: float,
    part: str | None,
    since: datetime | None,
    is_kept: bool,
    repair: bool | None,
    middleware: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Carry out ``genflow run``."""
    from genflow.tools.run.one_run import Shared
    from genflow.tools.run.runner import execute, help_run

    if workflow_id is not None and db is None:
        say(f'genflow: --id {workflow_id} has no effect without --db: nothing is kept that could be continued.')
    if repair and (db is None or workflow_id is None):
        raise Refused('--repair takes up an execution that was kept: give --db FILE and --id ID, too.')
    takes_up = repair is not False and db is not None and workflow_id is not None
    if processes is not None:
        ctx.exit(_supervise(ctx, processes, drain, db, workflow_id))
    if part in ('shows', 'helps'):
        from genflow.tools.cli.processes.supervisor import end_with_supervisor

        end_with_supervisor()
    explained = _explained(shows=part != 'helps', kept=_kept(db, workflow_id) if is_kept else None)
    with explained, redirect_stdout(sys.stderr), warnings_on_stderr():  # output of user code is not the result
        request = _request(target, inputs(arguments, keywords), workflow_id)
        if takes_up and part != 'helps':
            _take_up(str(db), request, target, asked_for=repair is True, began=since)
        own = _middleware(middleware)
        shared = None if since is None else Shared(since, drain)
        if part == 'helps' and shared is not None:
            help_run(request.spec, str(workflow_id), db=str(db), activities=activities, shared=shared, middleware=own)
        view = _view(request, quiet=quiet)
        outcome = execute(request, db=db, view=view, activities=activities, shared=shared, middleware=own)
    ctx.exit(_conclude(outcome, request, db if is_kept else None, verbose=verbose))


@contextmanager
def _explained(*, shows: bool, kept: str | None) -> Iterator[None]:
    """Shows why a run cannot continue, and how to continue it later.

    Args:
        shows: Whether this process shows the run; an error that stops another process stops this one too.
        kept: The text for a run that was interrupted.
    """
    from genflow.tools.run.one_run import CannotGoOn, Interrupted

    try:
        with _refused(shows=shows):
            yield
    except CannotGoOn as error:
        if shows:
            say(f'genflow: {error}')
        raise click.exceptions.Exit(Exit.CLOSED_OTHERWISE) from error
    except (KeyboardInterrupt, Interrupted):
        if not shows:
            raise click.exceptions.Exit(Exit.INTERRUPTED) from None
        if kept is not None:
            say(kept)
        raise KeyboardInterrupt from None


@contextmanager
def _refused(*, shows: bool) -> Iterator[None]:
    """Shows an error of the command or the file; an error of the command is shown by one process only."""
    try:
        yield
    except StoreError as error:
        raise refused_store(error) from error
    except (HistoryError, RegistrationError) as error:
        _refuse(Refused(str(error)), shows=shows)
    except Refused as error:
        _refuse(error, shows=shows)


def _refuse(error: Refused, *, shows: bool) -> NoReturn:
    if not shows and error.exit_code == Exit.USAGE:
        raise click.exceptions.Exit(Exit.USAGE) from error
    raise error


def _supervise(ctx: click.Context, processes: int, drain: float, db: str | None, workflow_id: str | None) -> int:
    """Runs the workflow in several processes, and returns the exit code of the one that shows it."""
    from genflow.tools.cli.processes.supervisor import Program, Supervisor, repeated_options

    began = datetime.now(timezone.utc)
    with _kept_in(db) as file:
        given = ['--db', file, '--id', workflow_id or f'run-{uuid4().hex[:12]}', *repeated_options(ctx, without=OWN)]
        if ctx.get_parameter_source('activities') is click.core.ParameterSource.DEFAULT:
            given = ['--activities', '1', *given]
        if db is None:
            given = ['--unkept', *given]
        command = [sys.executable, '-m', 'genflow', 'run', '--since', began.isoformat()]
        shows = Program([*command, '--part', 'shows', *given], frozenset(Exit), decides=True)
        helps = Program([*command, '--part', 'helps', *given], frozenset({*Exit} - {Exit.INTERNAL, Exit.UNAVAILABLE}))
        with opened(None, file) as service:
            register_domain(RetryingClient(connect(service)), DOMAIN)  # a process that helps may be the first there
            return Supervisor([shows, *[helps] * (processes - 1)], drain).run()


@contextmanager
def _kept_in(db: str | None) -> Iterator[str]:
    """The file of a run: a temporary one, unless a file was named."""
    if db is not None and db != ':memory:':
        yield db
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix='genflow-') as folder:
        yield str(Path(folder) / 'run.db')


def _request(target: str, given: tuple[list[Any], dict[str, Any]], workflow_id: str | None) -> Request:
    if target.startswith('-'):
        raise click.NoSuchOption(target)
    try:
        return request_of(load(target), *given, workflow_id)
    except (TargetError, DefinitionError, PayloadTooLarge) as error:
        raise Refused(str(error)) from error


def _middleware(text: str | None) -> tuple[Middleware, ...]:
    try:
        return middleware_of(text)
    except TargetError as error:
        raise Refused(str(error)) from error


def _view(request: Request, *, quiet: bool) -> View | None:
    if quiet:
        return None
    return LiveView(request.spec.name) if sys.stderr.isatty() else PlainView(sys.stderr)


def _conclude(outcome: Outcome, request: Request, db: str | None, *, verbose: bool) -> Exit:
    """Print the result, or why there is none."""
    if not outcome.completed:
        say(f'genflow: {outcome.text(verbose=verbose)}')
        if db is not None and request.workflow_id is not None:
            _offer_repair(db, request.workflow_id)
        return Exit.CLOSED_OTHERWISE
    print_result(_as_json(outcome, request), _again(outcome, db))
    return Exit.COMPLETED


def _take_up(db: str, request: Request, target: str, *, asked_for: bool, began: datetime | None) -> None:
    from genflow.tools.cli.executions.repairing import take_up

    take_up(db, DOMAIN, request, target, asked_for=asked_for, began=began)


def _offer_repair(db: str, workflow_id: str) -> None:
    from genflow.tools.cli.executions.repairing import offer

    text = offer(db, DOMAIN, workflow_id)
    if text is not None:
        say(f'genflow: {text}')


def _again(outcome: Outcome, db: str | None) -> str:
    if db is None:
        return 'The run was in memory, so its result is lost: with --db FILE and --id ID it is kept.'
    return f'{again_of("result", outcome.workflow_id, DOMAIN, None, db)} prints it.'


def _as_json(outcome: Outcome, request: Request) -> str:
    """The result as JSON, also where the workflow has a transport of its own."""
    return shown_value(outcome.result(request.spec.cls()))


def _kept(db: str | None, workflow_id: str | None) -> str | None:
    """How to continue an interrupted run; ``None`` if it cannot be continued."""
    if db is None or workflow_id is None:
        return None
    return f'genflow: the execution {workflow_id} is kept in {db}; the same command continues it.'
