"""``genflow doctor``: checks everything that genflow needs, with a remedy for each problem."""

from __future__ import annotations

from typing import Any

import click

from genflow.tools.cli.services import service_options

__all__ = ['command']


@click.command('doctor')
@click.argument('target', required=False)
@service_options
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Check what genflow needs: Python and packages, the service, the domain, types and workers.

    With TARGET, a file or module, compare its types with those of the domain. Exit code 7 if something is wrong.
    """
    from genflow.tools.cli.checking.examining import check_everything

    check_everything(ctx, **options)
