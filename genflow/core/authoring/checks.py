"""Checks of workflow and activity classes, made when the class is defined, before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from genflow.core.errors import DefinitionError
from genflow.core.payloads.fitting import check_signature

__all__ = ['check_arguments', 'check_hook', 'check_no_generator', 'check_not_async', 'check_run']

_YIELDING = (inspect.isgeneratorfunction, inspect.iscoroutinefunction, inspect.isasyncgenfunction)


def _run_of(cls: type) -> Any:
    return inspect.getattr_static(cls, 'run', None)


def check_not_async(cls: type) -> None:
    """Refuses ``async def run`` for a workflow, where nobody would await it.

    Raises:
        DefinitionError: Names the class.
    """
    run = _run_of(cls)
    if inspect.iscoroutinefunction(run) or inspect.isasyncgenfunction(run):
        raise DefinitionError(
            f'{_named(cls)}.run is declared with `async def`; write `def`: a workflow yields its tasks instead of '
            'awaiting them'
        )


def check_run(cls: type) -> None:
    """Refuses ``def run()`` without ``self``.

    Raises:
        DefinitionError: Names the class.
    """
    run = _run_of(cls)
    if inspect.isfunction(run) and not any(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.VAR_POSITIONAL)
        for parameter in inspect.signature(run).parameters.values()
    ):
        raise DefinitionError(
            f'{_named(cls)}.run{inspect.signature(run)} takes no `self`; it is a method: write `def run(self, …)`'
        )


def check_no_generator(cls: type) -> None:
    """Refuses a ``run`` with a ``yield`` for an activity.

    Raises:
        DefinitionError: Names the class.
    """
    run = _run_of(cls)
    if inspect.isgeneratorfunction(run) or inspect.isasyncgenfunction(run):
        raise DefinitionError(
            f'{_named(cls)}.run has a `yield`, and an activity must not yield: it is ordinary code that runs once and '
            'returns its result (a list, if there are several); a workflow calls activities with `yield`'
        )


def check_hook(cls: type) -> None:
    """Refuses a ``restart_when_suggested`` that is no method, or one that yields.

    Raises:
        DefinitionError: Names the class.
    """
    if 'restart_when_suggested' not in vars(cls):
        return
    hook = vars(cls)['restart_when_suggested']
    if not callable(hook) or any(test(hook) for test in _YIELDING):
        found = 'yields or awaits' if callable(hook) else f'is a {type(hook).__name__}'
        raise DefinitionError(
            f'{_named(cls)}.restart_when_suggested {found}; it is a plain method that returns self.restart(...), or '
            'None for "not now"'
        )


def check_arguments(cls: type, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Refuses arguments that ``run`` of a class does not take.

    Raises:
        DefinitionError: Names the class, and what its ``run`` takes.
    """
    run: Any = cls.run  # type: ignore[attr-defined]
    try:
        run = run.__get__(object.__new__(cls))
        check_signature(run, args, kwargs)
    except (TypeError, ValueError) as error:
        raise DefinitionError(f'these arguments do not fit {cls.__qualname__}.run{_bare(run)}: {error}') from None


def _bare(run: Any) -> str:
    """The signature without annotations; empty where there is none."""
    try:
        parameters = inspect.signature(run).parameters.values()
    except (TypeError, ValueError):
        return ''
    return str(inspect.Signature([parameter.replace(annotation=parameter.empty) for parameter in parameters]))


def _named(cls: type) -> str:
    return f'{cls.__module__}.{cls.__qualname__}'
