"""``genflow run``: a workflow to its end, on the embedded service, in one process.

The result is the only thing on stdout, so that another program can read it. What happens is shown on stderr: in place
on a terminal, line by line in a pipe.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import click

from genflow.core.errors import DefinitionError, HistoryError, PayloadTooLarge, RegistrationError
from genflow.local.errors import StoreError
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.inputs import TAKES_NEGATIVES, input_options, inputs, shown_value
from genflow.tools.cli.news import warnings_on_stderr
from genflow.tools.cli.parameters import MAX_THREADS, WORKFLOW_ID
from genflow.tools.cli.services import again_of, refused_store
from genflow.tools.cli.settings import setting_options
from genflow.tools.cli.streams import print_result, say
from genflow.tools.run.defaults import DOMAIN
from genflow.tools.run.outcome import Outcome
from genflow.tools.run.start import Request, request_of
from genflow.tools.run.target import TargetError, load
from genflow.tools.run.views import LiveView, PlainView, View

__all__ = ['command']


@click.command('run', context_settings=TAKES_NEGATIVES)
@click.argument('target')
@input_options
@setting_options('db', help='Keep the executions in this file. Default: in memory.')
@click.option(
    '--id', 'workflow_id', type=WORKFLOW_ID, help='The workflow id. An open execution with this id is continued.'
)
@click.option(
    '--activities',
    default=8,
    show_default=True,
    type=click.IntRange(1, MAX_THREADS),
    help='Activities that run at a time.',
)
@click.option(
    '--repair/--anew',
    default=None,
    help='If the execution --id has failed: continue where it failed, or start again. '
    'Default: continue if that is safe.',
)
@setting_options('verbose', 'quiet')
@click.pass_context
def command(
    ctx: click.Context,
    *,
    target: str,
    arguments: tuple[str, ...],
    keywords: tuple[str, ...],
    db: str | None,
    workflow_id: str | None,
    activities: int,
    repair: bool | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Run a workflow to its end on the embedded service, its activities in this process.

    TARGET is file.py, file.py:Class or module:Class. ARGS, and the values of --kwarg, are JSON, or plain text. The
    result is printed as JSON.

    Exit codes: 0 completed, 1 an internal error, 2 wrong usage, 3 closed otherwise or cannot go on, 130 Ctrl-C.
    """
    from genflow.tools.run.runner import CannotGoOn, execute

    if workflow_id is not None and db is None:
        say(f'genflow: --id {workflow_id} has no effect without --db: nothing is kept that could be continued.')
    if repair and (db is None or workflow_id is None):
        raise Refused('--repair takes up an execution that was kept: give --db FILE and --id ID, too.')
    try:
        with redirect_stdout(sys.stderr), warnings_on_stderr():  # what user code prints is not the result
            request = _request(target, inputs(arguments, keywords), workflow_id)
            if repair is not False and db is not None and workflow_id is not None:
                _take_up(db, request, target, asked_for=repair is True)
            outcome = execute(request, db=db, view=_view(request, quiet=quiet), activities=activities)
    except StoreError as error:
        raise refused_store(error) from error
    except (HistoryError, RegistrationError) as error:
        raise Refused(str(error)) from error
    except CannotGoOn as error:
        say(f'genflow: {error}')
        ctx.exit(Exit.CLOSED_OTHERWISE)
    except KeyboardInterrupt:
        _say_how_to_go_on(db, workflow_id)
        raise
    ctx.exit(_conclude(outcome, request, db, verbose=verbose))


def _request(target: str, given: tuple[list[Any], dict[str, Any]], workflow_id: str | None) -> Request:
    if target.startswith('-'):
        raise click.NoSuchOption(target)
    try:
        return request_of(load(target), *given, workflow_id)
    except (TargetError, DefinitionError, PayloadTooLarge) as error:
        raise Refused(str(error)) from error


def _view(request: Request, *, quiet: bool) -> View | None:
    if quiet:
        return None
    return LiveView(request.spec.name) if sys.stderr.isatty() else PlainView(sys.stderr)


def _conclude(outcome: Outcome, request: Request, db: str | None, *, verbose: bool) -> Exit:
    """Print the result, or why there is none."""
    if not outcome.completed:
        say(f'genflow: {outcome.told(verbose=verbose)}')
        if db is not None and request.workflow_id is not None:
            _offer_repair(db, request.workflow_id)
        return Exit.CLOSED_OTHERWISE
    print_result(_as_json(outcome, request), _again(outcome, db))
    return Exit.COMPLETED


def _take_up(db: str, request: Request, target: str, *, asked_for: bool) -> None:
    from genflow.tools.cli.repair import take_up

    take_up(db, DOMAIN, request, target, asked_for=asked_for)


def _offer_repair(db: str, workflow_id: str) -> None:
    from genflow.tools.cli.repair import offer

    text = offer(db, DOMAIN, workflow_id)
    if text is not None:
        say(f'genflow: {text}')


def _again(outcome: Outcome, db: str | None) -> str:
    if db is None:
        return 'The run was in memory, so its result is lost: with --db FILE and --id ID it is kept.'
    return f'{again_of(f"result {outcome.workflow_id}", None, db)} prints it.'


def _as_json(outcome: Outcome, request: Request) -> str:
    """The result as JSON, also where the workflow has a transport of its own."""
    return shown_value(outcome.result(request.spec.cls()))


def _say_how_to_go_on(db: str | None, workflow_id: str | None) -> None:
    if db is not None and workflow_id is not None:
        say(f'genflow: the execution {workflow_id} is kept in {db}; the same command continues it.')
