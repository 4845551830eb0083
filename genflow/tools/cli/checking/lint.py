"""``genflow lint``: finds nondeterminism and lost results in workflow code, without running it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import click
from attrs import evolve

from genflow.core.text import counted
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.current_folder import current_folder
from genflow.tools.lint.code.project import Project
from genflow.tools.lint.code.sources import read
from genflow.tools.lint.findings import Finding
from genflow.tools.lint.linting import fix as mend
from genflow.tools.lint.linting import lint_paths
from genflow.tools.lint.output import FORMATS
from genflow.tools.lint.rules import RULES, page
from genflow.tools.lint.settings import Settings, SettingsError, codes, settings_of
from genflow.tools.targets.target import is_file, is_folder, parse

__all__ = ['command']


@click.command('lint')
@click.argument('targets', nargs=-1, metavar='PATH_OR_TARGET...')
@click.option('--fix', is_flag=True, help='Fix findings in place where possible.')
@click.option('--format', 'form', default='text', show_default=True, type=click.Choice(list(FORMATS)))
@click.option(
    '--select',
    multiple=True,
    metavar='CODE',
    help='Apply only this rule, or all rules whose code begins with this; may be repeated.',
)
@click.option('--ignore', multiple=True, metavar='CODE', help='Do not apply this rule; may be repeated.')
@click.option('--explain', metavar='CODE', help='Explain a rule, with wrong and right code.')
@click.pass_context
def command(
    ctx: click.Context,
    *,
    targets: tuple[str, ...],
    fix: bool,
    form: str,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    explain: str | None,
) -> None:
    """Find nondeterminism and lost results in workflow code.

    PATH_OR_TARGET is a file, a folder, or a module with or without a class; the code is read and not run. Settings are
    in [tool.genflow.lint] of pyproject.toml.

    Exit codes: 0 no findings, 8 findings, 2 wrong usage.
    """
    if explain is not None:
        _explain(explain)
        return
    if not targets:
        raise click.UsageError('say what to look at: a file, a folder or a module.')
    paths = [_path(target) for target in targets]
    classes = {path: cls for path, cls in zip(paths, map(_class, targets), strict=True) if cls is not None}
    try:
        findings = _findings(paths, classes, _settings(select, ignore), mends=fix)
    except (SettingsError, OSError) as error:
        raise Refused(str(error)) from error
    click.echo(FORMATS[form](findings))
    ctx.exit(Exit.FOUND if findings else Exit.COMPLETED)


def _settings(select: tuple[str, ...], ignore: tuple[str, ...]) -> Settings:
    settings = settings_of(current_folder())
    if select:
        settings = evolve(settings, select=codes('the command line', '--select', list(select)))
    return evolve(settings, ignore=(*settings.ignore, *codes('the command line', '--ignore', list(ignore))))


def _findings(paths: list[Path], classes: dict[Path, str], settings: Settings, *, mends: bool) -> list[Finding]:
    for path, name in classes.items():
        known = _classes_in(path)
        if known is not None and name not in known:
            raise Refused(f'{path} has no class {name}; it has {", ".join(known) or "none"}.')
    if mends:
        made = mend(paths, settings, classes)
        click.echo(f'{counted(made, "change")} made', err=True)
    return lint_paths(paths, settings, classes)


def _classes_in(path: Path) -> list[str] | None:
    """The classes of a file; ``None`` where it is no Python, which is a finding."""
    if is_folder(path):
        raise Refused(f'{path} is a folder; to look at one class, name its module.')
    try:
        return [cls.name for cls in Project().add(path, read(path).text).every_class]
    except SyntaxError:
        return None


def _explain(code: str) -> None:
    if code not in RULES:
        raise Refused(f'there is no rule {code!r}; there are {", ".join(RULES)}')
    click.echo(page(RULES[code]))


def _path(text: str) -> Path:
    """The file or folder of a target; a module is looked up and not imported."""
    target = parse(text)
    path = Path(target.place)
    if is_file(path) or is_folder(path):
        return path
    if os.path.exists(path):  # noqa: PTH110 - Path.exists raises for names that no file can have
        raise Refused(f'{target.place!r} is neither a file nor a folder; name one that has Python code.')
    if target.is_file:
        raise Refused(f'there is no file {target.place!r} (looked in {current_folder()}).')
    found = _module(target.place)
    if found is None:
        raise Refused(f'there is no module {target.place!r}, and no such file or folder.')
    return found


def _class(text: str) -> str | None:
    """The class that a target names."""
    target = parse(text)
    return None if target.cls is None else target.cls.rpartition('.')[2]


def _module(name: str) -> Path | None:
    """The file of a module, or the folder of a package; no package above it is imported to find it."""
    root, *rest = name.split('.')
    try:
        spec = importlib.util.find_spec(root)
    except (ModuleNotFoundError, ValueError):
        spec = None
    origin = None if spec is None else spec.origin
    if not rest and origin is not None and origin.endswith('.py') and Path(origin).name != '__init__.py':
        return Path(origin)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or () if spec is not None else ())]
    for place in (folder.joinpath(*rest) for folder in (Path(root), *folders)):
        if is_folder(place):
            return place
        if is_file(place.with_suffix('.py')):
            return place.with_suffix('.py')
    return None
