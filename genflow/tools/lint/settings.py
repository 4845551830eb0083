"""Which rules are asked where: the table ``[tool.genflow.lint]`` of pyproject.toml.

::

    [tool.genflow.lint]
    ignore = ["G101"]
    exclude = ["*/migrations/*"]

    [tool.genflow.lint.per-file-ignores]
    "tests/*" = ["G001"]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import Any

from attrs import Factory, frozen

from genflow.tools.lint.findings import Finding
from genflow.tools.lint.rules import RULES

__all__ = ['Settings', 'SettingsError', 'codes', 'settings_of']


class SettingsError(Exception):
    """The settings cannot be used; the text says where and why."""


@frozen
class Settings:
    """Which rules are asked where.

    Attributes:
        select: Codes, or beginnings of codes such as ``G0``; all rules where it is empty.
        ignore: Likewise, of rules that are not asked.
        exclude: Patterns of paths that are not looked at.
        per_file_ignores: By pattern of paths, codes that are not asked there.
        root: The folder to which patterns are relative.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = Factory(dict)
    root: Path = Path()

    def wants(self, finding: Finding) -> bool:
        """Whether a finding is to be shown."""
        code = finding.code
        if (self.select and not code.startswith(self.select)) or (self.ignore and code.startswith(self.ignore)):
            return False
        ignores = self.per_file_ignores.items()
        here = [codes for pattern, codes in ignores if self.matches(Path(finding.path), pattern)]
        return not any(code.startswith(codes) for codes in here)

    def excludes(self, path: Path) -> bool:
        """Whether a file is not to be looked at."""
        return any(self.matches(path, pattern) for pattern in self.exclude)

    def matches(self, path: Path, pattern: str) -> bool:
        """Whether a pattern means a path, or a folder above it: as it is written, or as seen from the root."""
        whole = Path(os.path.abspath(path))  # noqa: PTH100 - no links are followed
        root = Path(os.path.abspath(self.root))  # noqa: PTH100
        seen = whole.relative_to(root) if whole.is_relative_to(root) else whole
        names = [path.as_posix(), whole.as_posix(), f'./{seen.as_posix()}']
        names += [one.as_posix() for one in (seen, *seen.parents)]
        return any(fnmatch(name, pattern.rstrip('/')) for name in names)


def settings_of(start: Path) -> Settings:
    """The settings of the nearest pyproject.toml from a folder upwards.

    Raises:
        SettingsError: They cannot be read.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        path = folder / 'pyproject.toml'
        if path.is_file():
            return _read(path)
    return Settings()


def _read(path: Path) -> Settings:
    toml: Any = import_module('tomllib' if sys.version_info >= (3, 11) else 'tomli')
    try:
        found: Any = toml.loads(path.read_text(encoding='utf-8'))
    except (toml.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f'{path}: {error}') from error
    for name in ('tool', 'genflow', 'lint'):
        found = found.get(name, {}) if isinstance(found, dict) else {}
    if not isinstance(found, dict):
        raise SettingsError(f'{path}: lint of [tool.genflow] is {found!r}; it must be a table, [tool.genflow.lint]')
    return _settings(path, found)


def _settings(path: Path, table: Mapping[str, Any]) -> Settings:
    unknown = sorted(set(table) - {'select', 'ignore', 'exclude', 'per-file-ignores'})
    if unknown:
        raise SettingsError(f'{path}: [tool.genflow.lint] has no setting {unknown[0]!r}')
    per_file = table.get('per-file-ignores', {})
    if not isinstance(per_file, dict):
        raise SettingsError(f'{path}: per-file-ignores must be a table of patterns and codes')
    return Settings(
        codes(path, 'select', table.get('select', [])),
        codes(path, 'ignore', table.get('ignore', [])),
        _texts(path, 'exclude', table.get('exclude', [])),
        {pattern: codes(path, pattern, found) for pattern, found in per_file.items()},
        path.parent,
    )


def _texts(path: Path | str, name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f'{path}: {name} is {value!r}; it must be a list of texts')
    return tuple(value)


def codes(path: Path | str, name: str, value: Any) -> tuple[str, ...]:
    """Codes, or beginnings of codes.

    Raises:
        SettingsError: There is no such rule.
    """
    found = _texts(path, name, value)
    for code in found:
        if not code or not any(known.startswith(code) for known in RULES):
            raise SettingsError(f'{path}: {name} names {code!r}, but there is no such rule')
    return found
