"""``genflow version`` and ``genflow completion``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import click
from click.shell_completion import get_completion_class

from genflow.tools.cli.exits import Exit
from genflow.tools.cli.streams import print_lines

__all__ = ['completion', 'show_version']

PACKAGES = ('genflow', 'boto3', 'attrs', 'venusian', 'click', 'rich', 'cattrs')
SHELLS = ('bash', 'zsh', 'fish')
VARIABLE = '_GENFLOW_COMPLETE'


@click.command('version')
def show_version() -> None:
    """Print the versions of genflow, Python and its dependencies, for bug reports."""
    python = f'Python {platform.python_version()} ({platform.python_implementation()}, {platform.system()})'
    print_lines([f'{name} {_version(name)}' for name in PACKAGES] + [python])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return '- (not installed)'


@click.command('completion')
@click.argument('shell', type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    """Print what makes SHELL complete commands and options.

    For bash, add `eval "$(genflow completion bash)"` to ~/.bashrc; for zsh the same to ~/.zshrc; for fish, write the
    output to ~/.config/fish/completions/genflow.fish.
    """
    kind = get_completion_class(shell)
    if kind is None:
        ctx.exit(Exit.INTERNAL)
    print_lines(kind(ctx.find_root().command, {}, 'genflow', VARIABLE).source().splitlines())
