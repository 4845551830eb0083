"""Settings that all commands share: options override ``GENFLOW_*`` variables, which override pyproject.toml.

Options may stand before or after the command. The table ``[tool.genflow]`` is read from the nearest pyproject.toml, in
the current folder or above it. A wrong value is refused, with the place that it comes from. ``db`` and ``endpoint``
both name the service: the strongest place that has either of them decides about both.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import field, frozen

from genflow.tools.cli.exits import Refused
from genflow.tools.cli.parameters import ENDPOINT, FILE

__all__ = [
    'COMPLETIONS',
    'SETTINGS',
    'SettingOption',
    'Settings',
    'Source',
    'accept_settings',
    'apply_settings',
    'current_settings',
    'exported_settings',
    'gathered_settings',
    'in_zone',
    'setting_options',
    'shown_time',
]

F = TypeVar('F', bound=Callable[..., Any])

COLORS = ('auto', 'always', 'never')
TIMES = ('utc', 'local')


@frozen
class Setting:
    """One setting: its type, its flags, and what it does.

    Attributes:
        flags: The names of the option.
        type: Of the value; a flag has ``click.BOOL``.
        help: What it does.
        service: Whether it names the service, which only one place does.
    """

    flags: tuple[str, ...]
    type: click.ParamType[Any] | click.Choice[Any]
    help: str
    service: bool = False


SETTINGS: dict[str, Setting] = {
    'domain': Setting(('--domain',), click.STRING, 'The SWF domain.'),
    'region': Setting(('--region',), click.STRING, 'The AWS region.'),
    'profile': Setting(('--profile',), click.STRING, 'The profile in ~/.aws that has the credentials.'),
    'endpoint': Setting(
        ('--endpoint',), ENDPOINT, 'Address of an SWF service. Default: as boto3 is configured.', service=True
    ),
    'db': Setting(('--db',), FILE, 'A file of the embedded service; no server is needed.', service=True),
    'middleware': Setting(
        ('--middleware',),
        click.STRING,
        'MODULE:NAME or FILE.py:NAME of the middleware of workers.',
    ),
    'verbose': Setting(('--verbose', '-v'), click.BOOL, 'Show all tracebacks of failures.'),
    'quiet': Setting(('--quiet', '-q'), click.BOOL, 'Show only results and errors.'),
    'color': Setting(('--color',), click.Choice(COLORS), 'When to use colors; auto: on terminals.'),
    'time': Setting(('--time',), click.Choice(TIMES), 'How to show times. Default: utc.'),
}
"""All settings by name: ``--NAME``, ``GENFLOW_NAME`` and the key of ``[tool.genflow]``."""


@frozen
class Source:
    """Where settings come from.

    Attributes:
        label: Names the place of a setting in messages, made from the setting's name.
        values: Its values, by the names of the settings.
    """

    label: Callable[[str], str]
    values: Mapping[str, Any] = field(repr=False)


@frozen
class Settings:
    """The settings of all places, the strongest place first."""

    sources: tuple[Source, ...] = ()

    def value(self, name: str) -> Any:
        """The value of a setting, ``None`` if no place has it.

        Raises:
            Refused: It does not fit; the message names the place.
        """
        for source in self.sources:
            if SETTINGS[name].service and source.values.keys() & SERVICES:
                return self._converted(source, name)
            if name in source.values:
                return self._converted(source, name)
        return None

    def given(self, name: str) -> Any:
        """The value of a setting if an option of the command line has it: no other process knows that one."""
        label = self.place(name)
        return self.value(name) if label is not None and label.startswith('--') else None

    def place(self, name: str) -> str | None:
        """The place that has the value of a setting, ``None`` if no place does."""
        sources = (source for source in self.sources if name in source.values)
        return next((source.label(name) for source in sources), None)

    def over(self, source: Source) -> Settings:
        """These settings, and above them one more place."""
        return Settings((source, *self.sources))

    @staticmethod
    def _converted(source: Source, name: str) -> Any:
        if name not in source.values:
            return None
        try:
            return SETTINGS[name].type.convert(source.values[name], None, None)
        except click.BadParameter as error:
            raise Refused(f'{source.label(name)}: {error.message}') from error


TABLES = frozenset({'lint'})
"""Tables below ``[tool.genflow]``, which their commands read."""

SERVICES = frozenset(name for name, setting in SETTINGS.items() if setting.service)


# where settings come from


def gathered_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the environment, over those of pyproject.toml."""
    named = {name: environment.get(f'GENFLOW_{name.upper()}') for name in SETTINGS}
    values = {name: value for name, value in named.items() if value}
    return Settings((Source(lambda name: f'the environment variable GENFLOW_{name.upper()}', values), *_of_project()))


def _of_project() -> Iterator[Source]:
    """The settings of the nearest pyproject.toml, if it has any."""
    with suppress(OSError):
        folder = Path.cwd()
        for path in (place / 'pyproject.toml' for place in (folder, *folder.parents)):
            if path.is_file():
                text = path.read_text(encoding='utf-8', errors='replace')
                if 'genflow' in text:
                    yield _read(path, text)
                return


def _read(path: Path, text: str) -> Source:
    try:
        tools = _toml(text).get('tool', {})
    except ValueError as error:
        raise Refused(f'{path} is not valid TOML: {error}.') from error
    table = tools.get('genflow', {}) if isinstance(tools, Mapping) else None
    if not isinstance(table, Mapping):
        raise Refused(f'{path}: tool.genflow is a table of settings; write [tool.genflow] above them.')
    for key in table.keys() - TABLES:
        if key not in SETTINGS:
            near = difflib.get_close_matches(key, SETTINGS, n=1)
            hint = f'did you mean {near[0]!r}?' if near else f'the settings are {", ".join(SETTINGS)}.'
            raise Refused(f'{path}: [tool.genflow] has no setting {key!r}; {hint}')
    values = {key: _text(path, key, value) for key, value in table.items() if key not in TABLES}
    if 'db' in values and values['db'] != ':memory:':
        values['db'] = os.path.relpath(path.parent / values['db'])
    if '.py:' in values.get('middleware', ''):
        values['middleware'] = os.path.relpath(path.parent / values['middleware'])
    return Source(lambda name: f'{path}, {name} of [tool.genflow]', values)


def _text(path: Path, key: str, value: Any) -> Any:
    is_flag = SETTINGS[key].type is click.BOOL
    if not isinstance(value, bool if is_flag else str):
        raise Refused(
            f'{path}, {key} of [tool.genflow]: {value!r} is not {"true or false" if is_flag else "a string"}.'
        )
    return value


def _toml(text: str) -> dict[str, Any]:
    parser = import_module('tomllib' if sys.version_info >= (3, 11) else 'tomli')
    found: dict[str, Any] = parser.loads(text)
    return found


# options


class SettingOption(click.Option):
    """An option that is a setting: where it is not given, the settings have its value."""

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> Any:
        value, source = super().consume_value(ctx, opts)
        if source is not click.core.ParameterSource.DEFAULT or self._is_decided(ctx):
            return value, source
        found = current_settings(ctx).value(str(self.name))
        return (value, source) if found is None else (found, click.core.ParameterSource.DEFAULT_MAP)

    def _is_decided(self, ctx: click.Context) -> bool:
        """Whether the command line names the service by another option; given options are read first."""
        others = SERVICES - {self.name} if self.name in SERVICES else ()
        return any(ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE for name in others)


COMPLETIONS: dict[str, Callable[[click.Context, click.Parameter, str], list[str]]] = {}
"""What completes the value of a setting in a shell, by the setting's name; ``completing.py`` adds to it."""


def setting_options(*names: str, **overrides: Any) -> Callable[[F], F]:
    """Add settings to a command as its own options.

    Args:
        *names: Of the settings.
        **overrides: Of what `click.option` takes, for all of them.
    """

    def add(function: F) -> F:
        for name in reversed(names):
            function = click.option(*_declared(name), **_option(name) | overrides)(function)
        return function

    return add


def _declared(name: str) -> tuple[str, ...]:
    return SETTINGS[name].flags


def _option(name: str) -> dict[str, Any]:
    setting = SETTINGS[name]
    found: dict[str, Any] = {'cls': SettingOption, 'help': setting.help}
    if name == 'domain':
        found['shell_complete'] = _domains
    return found | ({'is_flag': True} if setting.type is click.BOOL else {'type': setting.type})


def _domains(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    complete = COMPLETIONS.get('domain')
    return [] if complete is None else complete(ctx, param, incomplete)


def accept_settings(command: click.Command) -> click.Command:
    """Let a command accept every setting after its name, too; those that are not its own stay out of its help."""
    for child in command.commands.values() if isinstance(command, click.Group) else ():
        accept_settings(child)
    taken = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    for name in SETTINGS:
        flags = [flag for flag in _declared(name) if flag not in taken]
        if _declared(name)[0] in flags:
            options = {key: value for key, value in _option(name).items() if key != 'cls'}
            command.params.append(click.Option(flags, hidden=True, expose_value=False, callback=_given, **options))
    return command


def _given(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Put a setting that stands after a command above those of other places."""
    if ctx.get_parameter_source(str(parameter.name)) is click.core.ParameterSource.COMMANDLINE:
        apply_settings(ctx, {str(parameter.name): value})


def apply_settings(ctx: click.Context, given: Mapping[str, Any]) -> None:
    """Make options of the command line override the other places."""
    ctx.obj = current_settings(ctx).over(Source(lambda name: f'--{name}', given))
    ctx.with_resource(_in_environment(ctx.obj))


def current_settings(ctx: click.Context | None = None) -> Settings:
    """The settings of the command that runs."""
    ctx = ctx or click.get_current_context(silent=True)
    found = None if ctx is None else ctx.find_object(Settings)
    return Settings() if found is None else found


def exported_settings() -> dict[str, str]:
    """The settings of the command that runs, as environment variables for a process that has none of its options."""
    settings = current_settings()
    values = {name: settings.value(name) for name in SETTINGS}
    return {f'GENFLOW_{name.upper()}': '' if value is None else str(value) for name, value in values.items()}


# effects


@contextmanager
def _in_environment(settings: Settings) -> Iterator[None]:
    """Sets the environment variables that boto3 and rich read."""
    wanted = {
        'AWS_DEFAULT_REGION': settings.value('region'),
        'AWS_PROFILE': settings.value('profile'),
        'NO_COLOR': '1' if settings.value('color') == 'never' else None,
        'FORCE_COLOR': '1' if settings.value('color') == 'always' else None,
    }
    before = {name: os.environ.get(name) for name, value in wanted.items() if value is not None}
    os.environ.update({name: value for name, value in wanted.items() if value is not None})
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def in_zone(when: datetime) -> datetime:
    """A moment in the zone that the settings want."""
    return when.astimezone(None if current_settings().value('time') == 'local' else timezone.utc)


def shown_time(when: datetime) -> str:
    """A time of day as the settings want it."""
    return f'{in_zone(when):%Y-%m-%d %H:%M:%S}'
