"""The commands of ``genflow``, and the handling of their errors.

Each command has a module of its own, which is imported when the command is used, so that ``genflow --help`` is fast.
Every exception of a command becomes an exit code here: see `Exit`.
"""

from __future__ import annotations

import difflib
import os
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import click
from click.core import ParameterSource

import genflow.tools.cli.completing  # noqa: F401 - completes the values of settings in a shell
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.settings import (
    SETTINGS,
    accept_settings,
    apply_settings,
    gathered_settings,
    setting_options,
)
from genflow.tools.cli.streams import LostOutput, own_streams, say
from genflow.tools.text.terminal_text import escape_controls

__all__ = ['cli', 'entry', 'main']

# command: (module and attribute that have it, what it does)
COMMANDS = {
    'init': ('init:command', 'Create a small project to start from.'),
    'run': ('processes.run:command', 'Run a workflow to its end on the embedded service.'),
    'dev': ('processes.dev:command', 'Run a service, a worker and a live page, and reload code when it is saved.'),
    'server': ('processes.server:command', 'Serve the embedded SWF service over HTTP.'),
    'worker': ('processes.worker:command', 'Run deciders and activities for a task list.'),
    'domain': ('domain:command', 'Register and list domains.'),
    'start': ('executions.actions:start', 'Start an execution.'),
    'list': ('executions.listing:list_executions', 'List executions.'),
    'count': ('executions.listing:count', 'Count executions.'),
    'history': ('executions.actions:history', 'Show what happened in an execution.'),
    'why': ('executions.why:command', 'Explain where an execution stands, and why it makes no progress.'),
    'show': ('executions.pictures:show', 'Show an execution: its operations, attempts and times.'),
    'timeline': ('executions.pictures:timeline_command', 'Draw an execution as bars over time.'),
    'graph': ('executions.pictures:graph', 'Draw an execution as SVG, HTML, Mermaid or Graphviz.'),
    'result': ('executions.actions:result', 'Print the result of an execution.'),
    'query': ('executions.actions:query', 'Query an execution by replaying it here.'),
    'signal': ('executions.actions:signal', 'Send a signal to an execution.'),
    'update': ('executions.actions:update', 'Send an update to an execution, and print the reply.'),
    'cancel': ('executions.actions:cancel', 'Request the cancellation of an execution.'),
    'terminate': ('executions.actions:terminate', 'Terminate an execution at once.'),
    'rerun': ('executions.again:rerun', 'Start an execution again with the same input.'),
    'repair': ('executions.repair:command', 'Continue a failed execution from where it failed.'),
    'debug': ('executions.again:debug', 'Step through a decision of an execution.'),
    'replay': ('checking.replay:command', 'Check that the code replays recorded histories.'),
    'shadow': ('checking.shadow:command', 'Check that the code replays the executions of a domain.'),
    'explore': ('checking.explore:command', 'Search the possible orders of events for one that breaks a workflow.'),
    'lint': ('checking.lint:command', 'Find nondeterminism and lost results in workflow code.'),
    'types': ('checking.types:command', 'List the types of a domain, and compare them with the code.'),
    'doctor': ('checking.doctor:command', 'Check what genflow needs, from Python to workers.'),
    'activity': ('executions.activity:command', 'Answer an activity task by its token.'),
    'completion': ('shell:completion', 'Print the completion script for a shell.'),
    'version': ('shell:show_version', 'Print the versions of genflow and of what it needs.'),
    'ui': ('processes.ui:command', 'Serve the dashboard, which shows executions in a browser.'),
    'db': ('db:command', 'Inspect, copy and maintain a file of the embedded service.'),
}


COMMANDLINE = ParameterSource.COMMANDLINE


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(':')
        command: click.Command = getattr(import_module(f'genflow.tools.cli.{module}'), name)
        return accept_settings(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith('-'):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1) or [
                name for name in COMMANDS if name.startswith(args[0])
            ]
            hint = f'Did you mean {near[0]!r}?' if near else '`genflow --help` lists the commands.'
            raise click.UsageError(f'There is no command {args[0]!r}. {hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section('Commands'):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={'help_option_names': ['-h', '--help']})
@click.version_option(package_name='genflow', prog_name='genflow')
@setting_options(*SETTINGS, cls=click.Option)
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Durable workflows as plain Python generators, on Amazon SWF or on an embedded SWF service.

    The options below may stand before or after a command. If one is not given, the environment variable GENFLOW_NAME is
    used, and then NAME in [tool.genflow] of pyproject.toml.
    """
    ctx.obj = gathered_settings()
    given = {name: value for name, value in options.items() if ctx.get_parameter_source(name) is COMMANDLINE}
    apply_settings(ctx, given)


def entry() -> int:
    """Runs the command of this process; returns the exit code."""
    with own_streams():
        return main([_utf8(argument) for argument in sys.argv[1:]])


def main(arguments: list[str]) -> int:
    """Runs a command and returns its exit code; raises nothing."""
    try:
        _check_text(arguments)
        code = cli.main(args=arguments, prog_name='genflow', standalone_mode=False)
    except click.ClickException as error:
        return _show(error)
    except (KeyboardInterrupt, click.Abort):
        say('interrupted')
        return Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.INTERNAL  # the reader, such as `head`, has enough
    except LostOutput as error:
        say(f'Error: the output cannot be written to stdout ({error.strerror}).')
        return Exit.INTERNAL
    except Exception:  # noqa: BLE001 (the last resort: it is shown whole, and the exit code says whose fault it is)
        say(traceback.format_exc())
        return Exit.INTERNAL
    return int(code or 0)


def _utf8(argument: str) -> str:
    """An argument read as UTF-8 whatever the locale says; bytes that are no UTF-8 stay lone surrogates."""
    return os.fsencode(argument).decode('utf-8', 'surrogateescape') if os.name == 'posix' else argument


def _check_text(arguments: Iterable[str]) -> None:
    for argument in arguments:
        try:
            argument.encode('utf-8')
        except UnicodeEncodeError:
            raise Refused(f'the argument {argument!a} is not valid UTF-8; write it in UTF-8.') from None


def _show(error: click.ClickException) -> int:
    """Show an error as one message, with control characters escaped."""
    say(f'Error: {escape_controls(error.format_message())}')
    return error.exit_code
