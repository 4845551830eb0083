"""Activities that are functions: ``@activity(...) def charge(order: int) -> str``.

Calling the function still runs it. A class is made from it, which a worker instantiates like any other activity class.
The function reads the facts about its task from :func:`current_activity`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from genflow.core.authoring.activity import Activity
from genflow.core.authoring.typed_proxies import TypedProxy, activity_proxy
from genflow.core.errors import DefinitionError
from genflow.core.model.registry import Spec
from genflow.core.tasks.task import Task

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from genflow.core.authoring.option_types import ActivityProxyOptions

__all__ = ['FunctionActivity', 'is_async']

P = ParamSpec('P')
R = TypeVar('R')
T = TypeVar('T')


class FunctionActivity(Generic[P, R, T]):
    """An activity that is a function. Calling it calls the function.

    Attributes:
        activity: The :class:`~genflow.Activity` class that stands for it.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise DefinitionError(
                f'the function {_named(function)} has a `yield`, and an activity must not yield: it runs once and '
                'returns its result (a list, if there are several)'
            )
        self._function = function
        self.activity = _class_of(function)
        self.__genflow_specs__: list[Spec] = []
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f'<activity function {_named(self._function)}>'

    def proxy(self, **options: Unpack[ActivityProxyOptions]) -> TypedProxy[P, Task[T]]:
        """A proxy that calls this activity, typed by the function's signature.

        Args:
            options: As for :class:`~genflow.ActivityProxy`, without name and version.
        """
        made: Any = self.activity  # its run has the function's signature
        proxy: TypedProxy[P, Task[T]] = activity_proxy(made, **options)
        return proxy


def is_async(cls: type) -> bool:
    """Whether ``run`` of an activity class is an ``async def``, or stands for a function that is one."""
    return inspect.iscoroutinefunction(inspect.unwrap(inspect.getattr_static(cls, 'run')))


def _class_of(function: Callable[..., Any]) -> type[Activity]:
    @functools.wraps(function)
    def run(self: Activity, /, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    signature = inspect.signature(function)
    itself = inspect.Parameter('self', inspect.Parameter.POSITIONAL_ONLY)
    run.__signature__ = signature.replace(parameters=[itself, *signature.parameters.values()])  # type: ignore[attr-defined]
    names = {'run': run, '__module__': function.__module__, '__qualname__': function.__qualname__}
    return type(function.__name__, (Activity,), {**names, '__doc__': function.__doc__})


def _named(function: Callable[..., Any]) -> str:
    return f'{function.__module__}.{function.__qualname__}'
