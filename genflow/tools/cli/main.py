"""The commands of ``genflow`` and how all of them end.

A command lives in the module of its name and is imported when it is asked for, so that ``genflow --help`` costs
nothing. Whatever a command raises becomes an exit code here, in one place: see `Exit`.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module

import click

from genflow.tools.cli.exits import Exit

__all__ = ['cli', 'main']

# command: (module and attribute that have it, what it does)
COMMANDS = {
    'run': ('run:command', 'Run a workflow to its end on the embedded service.'),
    'server': ('server:command', 'Serve the embedded SWF service over HTTP.'),
    'worker': ('worker:command', 'Run deciders and activities for a task list.'),
    'domain': ('domain:command', 'Register and list domains.'),
    'start': ('executions:start', 'Start an execution.'),
    'list': ('executions:list_executions', 'List executions.'),
    'history': ('executions:history', 'Show what happened in an execution.'),
    'result': ('executions:result', 'Print the result of an execution.'),
    'signal': ('executions:signal', 'Send a signal to an execution.'),
    'cancel': ('executions:cancel', 'Ask an execution to cancel.'),
    'terminate': ('executions:terminate', 'End an execution at once.'),
    'replay': ('replay:command', 'Hold recorded histories against the code.'),
    'activity': ('activity:command', 'Answer an activity task by its token.'),
    'db': ('db:command', 'Look into, copy and tidy a file of the embedded service.'),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(':')
        command: click.Command = getattr(import_module(f'genflow.tools.cli.{module}'), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section('Commands'):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={'help_option_names': ['-h', '--help']})
@click.version_option(package_name='genflow', prog_name='genflow')
def cli() -> None:
    """Durable workflows as plain Python generators, on Amazon SWF or on an embedded SWF service."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command and give its exit code; nothing is raised."""
    try:
        code = cli.main(args=arguments, prog_name='genflow', standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo('interrupted', err=True)
        return Exit.INTERRUPTED
    except Exception:  # noqa: BLE001 (the last resort: it is shown whole, and the exit code says whose fault it is)
        traceback.print_exc(file=sys.stderr)
        return Exit.INTERNAL
    return int(code or 0)
