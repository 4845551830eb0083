"""The decorators that declare the type of a class, and the scan that finds decorated classes.

A decorator remembers the type on its class and hangs it on venusian; nothing is registered anywhere until a worker
scans. venusian finds what the scanned modules themselves define: a class that a module merely imports, or one that a
function makes, is not found by scanning that module. Importing this module loads no boto3.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
import sys
from collections.abc import Callable, Coroutine, Iterable
from types import ModuleType
from typing import Any, ParamSpec, Protocol, TypeVar, overload

import venusian

from genflow.core.authoring.activity import Activity
from genflow.core.authoring.function_activity import FunctionActivity
from genflow.core.authoring.proxies import type_version
from genflow.core.authoring.workflow import Workflow
from genflow.core.durations import Duration, in_seconds
from genflow.core.errors import DefinitionError
from genflow.core.model.options import MAX_SECONDS, seconds
from genflow.core.model.options import priority as checked_priority
from genflow.core.model.registry import ActivitySpec, Registry, Spec, WorkflowSpec, declare

__all__ = ['Package', 'activity', 'scan', 'workflow']

Cls = TypeVar('Cls', bound=type)
Fn = TypeVar('Fn', bound=FunctionActivity[Any, Any, Any])
P = ParamSpec('P')
R = TypeVar('R')
Package = ModuleType | str | Iterable[ModuleType | str] | None

CATEGORY = 'genflow'

MAX_NAME = 256
"""Characters of a type's name and of a task list's (SWF's ``Name`` shape)."""

_FORBIDDEN = re.compile(r'[:/|\x00-\x1f\x7f-\x9f]')
"""Characters that SWF does not allow in a name, version or task list."""


class _Unsaid(int):
    """A default value that is distinct from the same number given by the caller."""


_SUM: float = _Unsaid(420)


class ActivityDecorator(Protocol):
    """The decorator that :func:`activity` returns, for classes and functions."""

    @overload
    def __call__(self, target: Cls, /) -> Cls: ...  # type: ignore[overload-overlap]  # a class is callable, too
    @overload
    def __call__(self, target: Fn, /) -> Fn: ...
    @overload
    def __call__(
        self, target: Callable[P, Coroutine[Any, Any, R]], /
    ) -> FunctionActivity[P, Coroutine[Any, Any, R], R]: ...
    @overload
    def __call__(self, target: Callable[P, R], /) -> FunctionActivity[P, R, R]: ...


def activity(
    name: str,
    version: Any,
    task_list: str | None,
    heartbeat: Duration | None = None,
    schedule_to_close: Duration | None = _SUM,
    schedule_to_start: Duration | None = 120,
    start_to_close: Duration | None = 300,
    *,
    priority: int | None = None,
    description: str | None = None,
) -> ActivityDecorator:
    """Declares the activity type that an :class:`~genflow.Activity` class or a function implements.

    A function that is decorated can be called as before, and has ``proxy(...)`` as a class has.

    Args:
        name: The type's name, at most 256 characters, none of them ``:``, ``/`` or ``|``.
        version: The type's version, text or a number.
        task_list: The task list on which its tasks appear unless a proxy says otherwise.
        heartbeat: Seconds or a ``timedelta``, as for the others, within which a running activity must send a heartbeat;
            ``None`` for no limit.
        schedule_to_close: Seconds from scheduling to the result; the sum of the next two unless given.
        schedule_to_start: Seconds that a task may wait for a worker; ``None`` for no limit.
        start_to_close: Seconds that a try may take; ``None`` for no limit.
        priority: The default priority, higher first.
        description: For people who list types, at most 1,024 characters.

    Raises:
        DefinitionError: At once, or when it decorates a class that is no activity or has no ``run``.
    """
    if schedule_to_close is _SUM:
        schedule_to_close = _sum(schedule_to_start, start_to_close)

    def decorate(target: Any) -> Any:
        target = FunctionActivity(target) if inspect.isfunction(target) else target
        cls = target.activity if isinstance(target, FunctionActivity) else target
        _check(cls, Activity, name, task_list)
        spec = ActivitySpec(
            cls,
            name,
            type_version(version),
            task_list,
            _limit(heartbeat, 'heartbeat'),
            _limit(schedule_to_close, 'schedule_to_close'),
            _limit(schedule_to_start, 'schedule_to_start'),
            _limit(start_to_close, 'start_to_close'),
            checked_priority(priority),
            description,
        )
        venusian.attach(target, _adder(spec), category=CATEGORY)
        declare(spec)
        if isinstance(target, FunctionActivity):
            target.__genflow_specs__.append(spec)
        return target

    return decorate


def workflow(
    name: str,
    version: Any,
    task_list: str | None,
    workflow_duration: Duration | None = 3600,
    decision_duration: Duration | None = 60,
    *,
    child_policy: str | None = 'TERMINATE',
    priority: int | None = None,
    lambda_role: str | None = None,
    description: str | None = None,
) -> Callable[[Cls], Cls]:
    """Declares the workflow type that a :class:`~genflow.Workflow` class implements.

    Args:
        name: The type's name, as for :func:`activity`.
        version: The type's version, text or a number.
        task_list: The task list on which its decision tasks appear unless the starter says otherwise.
        workflow_duration: Seconds, or a ``timedelta``, that an execution may take; ``None`` for SWF's longest, a year.
        decision_duration: Seconds that a worker may take for one decision; ``None`` for no limit.
        child_policy: What happens to open children when an execution closes: ``TERMINATE``, ``REQUEST_CANCEL`` or
            ``ABANDON``.
        priority: The default priority of its decision tasks, higher first.
        lambda_role: The IAM role with which it calls Lambda functions.
        description: For people who list types, at most 1,024 characters.

    Raises:
        DefinitionError: At once, or when it decorates a class that is no workflow or has no ``run``.
    """

    def decorate(cls: Cls) -> Cls:
        _check(cls, Workflow, name, task_list)
        spec = WorkflowSpec(
            cls,
            name,
            type_version(version),
            task_list,
            # SWF refuses NONE here, and lets no execution live longer.
            seconds(MAX_SECONDS if workflow_duration is None else workflow_duration, 'workflow_duration'),
            _limit(decision_duration, 'decision_duration'),
            child_policy,
            checked_priority(priority),
            lambda_role,
            description,
        )
        venusian.attach(cls, _adder(spec), category=CATEGORY)
        declare(spec)
        return cls

    return decorate


def scan(package: Package = None, ignore: Any = None, *, depth: int = 1) -> Registry:
    """The decorated classes that modules define.

    Args:
        package: A module, a dotted name, or several of them; packages are searched to their leaves. ``None`` is the
            module of the caller.
        ignore: What venusian's ``scan`` takes: dotted names or predicates.
        depth: The number of frames between this function and the caller whose module is scanned, if ``package`` is
            ``None``.

    Raises:
        RegistrationError: Two classes stand for one type.
        ImportError: A module does not import.
    """
    registry = Registry()
    scanner = venusian.Scanner(registry=registry)
    for module in _modules(package, depth + 1):
        scanner.scan(module, categories=(CATEGORY,), ignore=ignore)
    return registry


def _modules(package: Package, depth: int) -> list[ModuleType]:
    if package is None:
        return [sys.modules[sys._getframe(depth).f_globals['__name__']]]
    listed = [package] if isinstance(package, (ModuleType, str)) else list(package)
    return [importlib.import_module(item) if isinstance(item, str) else item for item in listed]


def _adder(spec: Spec) -> Callable[[Any, str, Any], None]:
    def add(scanner: Any, name: str, found: Any) -> None:
        scanner.registry.add(spec)

    return add


def _sum(schedule_to_start: Duration | None, start_to_close: Duration | None) -> float:
    total = sum(math.inf if part is None else in_seconds(part) for part in (schedule_to_start, start_to_close))
    return total if total <= MAX_SECONDS else math.inf


def _limit(value: Duration | None, name: str) -> float | None:
    """A duration in seconds, where ``None`` is no limit."""
    return seconds(math.inf if value is None else value, name)


def _check(cls: Any, base: type, name: Any, task_list: Any) -> None:
    """Refuses names and classes that SWF or a worker would refuse later."""
    kind = base.__name__.lower()
    if not inspect.isclass(cls) or not issubclass(cls, base):
        raise DefinitionError(
            f'{cls!r} is decorated as {kind} {name!r}, but is not a subclass of genflow.{base.__name__}'
        )
    if cls.run is base.run:  # type: ignore[attr-defined]
        raise DefinitionError(f'{cls.__qualname__} is decorated as {kind} {name!r}, but defines no run()')
    _check_text(name, f'name of the {kind}')
    if task_list is not None:
        _check_text(task_list, f'task list of the {kind} {name!r}')


def _check_text(text: Any, what: str) -> None:
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_NAME or text == 'arn' or _FORBIDDEN.search(text):
        raise DefinitionError(
            f"the {what} is {text!r}; SWF takes 1 to {MAX_NAME} characters without ':', '/', '|' and control "
            "characters, and not 'arn'"
        )
