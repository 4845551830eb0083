"""``genflow replay``: checks that the current code follows recorded histories, before it is deployed."""

from __future__ import annotations

import click

from genflow.core.model.registry import WorkflowSpec, declared
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.parameters import EXISTING_PATH
from genflow.tools.cli.streams import print_result, say
from genflow.tools.targets.target import TargetError, module_of, parse, workflow_of

__all__ = ['command', 'workflows_of']


@click.command('replay')
@click.argument('histories', nargs=-1, required=True, type=EXISTING_PATH, metavar='FILE_OR_FOLDER...')
@click.argument('target')
@click.option('--strict', is_flag=True, help='Also treat an input that differs from the recorded one as a mismatch.')
@click.option('--workflow-id', help='The id of the execution, if a single history does not contain it.')
@click.option('--run-id', help='Likewise.')
@click.pass_context
def command(
    ctx: click.Context,
    *,
    histories: tuple[str, ...],
    target: str,
    strict: bool,
    workflow_id: str | None,
    run_id: str | None,
) -> None:
    """Replay recorded histories against TARGET: a file or module, or one workflow class of it.

    Histories are JSON as `aws swf get-workflow-execution-history` or `genflow history --json` print it. Of a folder,
    every .json and .jsonl file below it is read. Code that reads its own workflow id or run id needs them: genflow's
    output contains them. A file of the AWS CLI must be named WORKFLOW_ID.json or WORKFLOW_ID,RUN_ID.json, unless
    --workflow-id is given. Exit code 6 if a history does not agree with the code, cannot be read, or if there is none.
    """
    from genflow.testing.replayer import replay_files

    try:
        specs = workflows_of(target)
    except TargetError as error:
        raise Refused(str(error)) from error
    strictness = 'error' if strict else 'warn'
    report = replay_files(histories, specs, input_mismatch=strictness, workflow_id=workflow_id, run_id=run_id)
    if report.ok:
        print_result(str(report), 'Every history agrees with the code.')
    else:
        say(str(report))
    ctx.exit(Exit.COMPLETED if report.ok else Exit.MISMATCH)


def workflows_of(text: str) -> list[WorkflowSpec]:
    """The class that a target names, or else every workflow that importing it has loaded."""
    target = parse(text)
    module = module_of(target)
    if target.cls is not None:
        return [workflow_of(module, target)]
    specs = [spec for spec in declared() if isinstance(spec, WorkflowSpec)]
    if not specs:
        raise TargetError(f'{target} defines no workflow, and imports none.')
    return specs
