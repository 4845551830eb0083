"""Targets: the text with which commands name workflow code, resolved to modules and classes.

A target is a file or a module, and for some commands one class in it: ``orders.py``, ``orders.py:Order``,
``shop.orders:Order``. A file is imported as ``python orders.py`` would run it, with its folder first on the path, but
under its own name, since names of classes are recorded in histories and have to be the same in the next process.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import frozen

from genflow.core.model.registry import WorkflowSpec, declared
from genflow.tools.current_folder import current_folder
from genflow.tools.targets.arguments import path_of

__all__ = [
    'Target',
    'TargetError',
    'is_file',
    'is_folder',
    'load',
    'module_of',
    'object_of',
    'parse',
    'spec_of',
    'workflow_of',
]

_CLASS = re.compile(r'[A-Za-z_]\w*(\.[A-Za-z_]\w*)*')


class TargetError(Exception):
    """A target cannot be used; the text says why, and what to write instead."""


@frozen
class Target:
    """A parsed target: the place of the code and, optionally, the name of a class."""

    place: str
    cls: str | None = None

    @property
    def is_file(self) -> bool:
        return self.place.endswith('.py') or '/' in self.place or '\\' in self.place

    def __str__(self) -> str:
        return self.place if self.cls is None else f'{self.place}:{self.cls}'


def parse(text: str) -> Target:
    """Parse ``place`` or ``place:Class``; the colon of a Windows drive does not count."""
    place, colon, cls = text.rpartition(':')
    if colon and _CLASS.fullmatch(cls) and len(place) > 1:
        return Target(place, cls)
    return Target(text)


def load(text: str) -> WorkflowSpec:
    """The workflow type that a target names.

    Raises:
        TargetError: There is no such file, module or class, it does not import, or it is not clear which is meant.
    """
    target = parse(text)
    return workflow_of(module_of(target), target)


def module_of(target: Target) -> ModuleType:
    """Import the file or module of a target.

    Raises:
        TargetError: It does not exist, or raises while it is imported; then with the user's own traceback.
    """
    return _import_file(Path(path_of(target.place))) if target.is_file else _import_module(target.place)


def object_of(text: str, what: str, form: str) -> Any:
    """What ``module:name`` or ``file.py:name`` means, whatever it is.

    Args:
        text: As it was given.
        what: What it has to be, for error texts.
        form: How to write it, likewise.

    Raises:
        TargetError: There is no such file, module or name, or it does not import.
    """
    target = parse(text)
    if target.cls is None:
        raise TargetError(f'{text!r} names no {what}. {form}')
    module = module_of(target)
    try:
        return reduce(getattr, target.cls.split('.'), module)
    except AttributeError:
        raise TargetError(f'{target.place} has no {target.cls!r}. {form}') from None


def workflow_of(module: ModuleType, target: Target) -> WorkflowSpec:
    """The workflow type that `target` means in its module.

    Raises:
        TargetError: The class is not there or is no decorated workflow; or none was named and there is not just one.
    """
    if target.cls is not None:
        return _spec(_named(module, target.cls, target), target)
    found = _workflows_in(module)
    if len(found) == 1:
        return found[0]
    if not found:
        raise TargetError(
            f'{target} defines no workflow. Decorate a subclass of genflow.Workflow with @genflow.workflow(name=…, '
            'version=…, task_list=…), or name the module that does.'
        )
    choices = '\n'.join(f'  {target.place}:{spec.cls.__qualname__}' for spec in found)
    raise TargetError(f'{target} defines {len(found)} workflows; say which one:\n{choices}')


def _workflows_in(module: ModuleType) -> list[WorkflowSpec]:
    """The workflows that a module defines itself, in the order of their definition."""
    own = (value for value in vars(module).values() if getattr(value, '__module__', None) == module.__name__)
    return [spec for spec in map(spec_of, own) if spec is not None]


def _named(module: ModuleType, name: str, target: Target) -> Any:
    found: Any = module
    for part in name.split('.'):
        found = getattr(found, part, None)
        if found is None:
            known = ', '.join(spec.cls.__qualname__ for spec in _workflows_in(module)) or 'none'
            raise TargetError(f'{target.place} has no class {name!r}. Its workflows: {known}.')
    return found


def spec_of(cls: Any) -> WorkflowSpec | None:
    """The workflow type of a class, ``None`` if it is not decorated; of several, the outermost decorator's."""
    specs = [spec for spec in declared(cls) if isinstance(spec, WorkflowSpec)] if isinstance(cls, type) else []
    return specs[-1] if specs else None


def _spec(cls: Any, target: Target) -> WorkflowSpec:
    spec = spec_of(cls)
    if spec is None:
        raise TargetError(
            f'{target} is {_kind(cls)}, not a workflow. A workflow is a subclass of genflow.Workflow that is decorated '
            'with @genflow.workflow(name=…, version=…, task_list=…).'
        )
    return spec


def _kind(value: Any) -> str:
    if not isinstance(value, type):
        return f'a {type(value).__name__}'
    bases = {base.__name__ for base in value.__mro__}
    if 'Workflow' in bases:
        return 'an undecorated workflow class'
    return 'an activity class' if 'Activity' in bases else 'a plain class'


def _import_file(path: Path) -> ModuleType:
    if not is_file(path):
        raise TargetError(f'there is no file {str(path)!r} (looked in {current_folder()}).')
    path = path.resolve()
    known = sys.modules.get(path.stem)
    if known is not None and getattr(known, '__file__', None) == str(path):
        return known
    sys.path.insert(0, str(path.parent))
    name = path.stem if _is_free(path) else f'target_{path.stem}'
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f'{path} is not a Python file: its name has to end in .py.')
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with _importing(str(path), name):
        spec.loader.exec_module(module)
    return module


def is_file(path: Path) -> bool:
    """Whether there is a regular file of that name; false for a name that no file can have."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for such names


def is_folder(path: Path) -> bool:
    """Whether there is a folder of that name; false for a name that no folder can have."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def _is_free(path: Path) -> bool:
    """Whether a file may be imported under its own name: it must not hide another module."""
    if path.stem in sys.modules or path.stem in sys.stdlib_module_names or not path.stem.isidentifier():
        return False
    found = importlib.util.find_spec(path.stem)
    return found is None or found.origin == str(path)


def _import_module(name: str) -> ModuleType:
    if not _CLASS.fullmatch(name):
        raise TargetError(f'{name!r} is neither a file (FILE.py) nor a module (shop.orders).')
    if '' not in sys.path:
        sys.path.insert(0, '')
    with _importing(name):
        return importlib.import_module(name)


@contextmanager
def _importing(place: str, half_made: str = '') -> Iterator[None]:
    """Turn everything that user code raises on import into a `TargetError`, except Ctrl-C."""
    try:
        with _loggers_kept():
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        sys.modules.pop(half_made, None)
        if isinstance(error, ModuleNotFoundError) and error.name and f'{place}.'.startswith(f'{error.name}.'):
            looked = f'looked in {current_folder()} and on sys.path'
            raise TargetError(f'there is no module {error.name!r} ({looked}).') from error
        raise TargetError(f'{place} does not import:\n{_users_traceback(error)}{_hint(error, place)}') from error


def _hint(error: BaseException, place: str) -> str:
    """A hint for an error that comes from how the target was named."""
    path = Path(place)
    parts, folder = [path.stem], path.parent
    while (folder / '__init__.py').is_file():
        parts, folder = [folder.name, *parts], folder.parent
    is_in_package = path.is_file() and len(parts) > 1
    if isinstance(error, ModuleNotFoundError) and is_in_package and (error.name or '').partition('.')[0] == parts[0]:
        return (
            f'\nThe file is part of the package {parts[0]}, which is not installed: run `pip install -e .` in '
            f'{folder}, or name the module there: {".".join(parts)}'
        )
    if not isinstance(error, ImportError) or 'relative import' not in str(error):
        return ''
    if not is_in_package:
        return '\nRelative imports work in a package only: give its folder an __init__.py, or import by full names.'
    return f'\nA file is imported by itself; name the module instead, in {folder}: {".".join(parts)}'


@contextmanager
def _loggers_kept() -> Iterator[None]:
    """Keep genflow's loggers: user code that sets up logging disables those that exist, unless it says otherwise."""
    logger = logging.getLogger('genflow')
    names = [name for name in logger.manager.loggerDict if f'{name}.'.startswith('genflow.')]
    enabled = [found for found in map(logging.getLogger, names) if not found.disabled]
    try:
        yield
    finally:
        for found in enabled:
            found.disabled = False


def _users_traceback(error: BaseException) -> str:
    """The traceback from the first line of the user's own code on."""
    trace = error.__traceback__
    while trace is not None and _is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return ''.join(traceback.format_exception(type(error), error, trace)).rstrip()


def _is_machinery(filename: str) -> bool:
    return filename == __file__ or 'importlib' in filename
