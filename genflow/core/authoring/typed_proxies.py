"""Proxies made from classes: ``echo = Echo.proxy(heartbeat=10)``.

They know the other side's code, so type checkers see the parameters and the result of its ``run``, its hints structure
what comes back, and its overridden serialization hooks hold on this side too. Under a type checker they take values;
a task as an argument is for proxies that are made by name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from genflow.core.authoring.bound_types import ChildTask, TypedBound
from genflow.core.authoring.proxies import ActivityProxy, Proxy, WorkflowProxy
from genflow.core.errors import DefinitionError
from genflow.core.model.registry import ActivitySpec, WorkflowSpec, declared
from genflow.core.payloads.hooks import HOOKS, Serialization
from genflow.core.tasks.task import Task

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ['Runs', 'TypedProxy', 'activity_proxy', 'workflow_proxy']

P = ParamSpec('P')
R = TypeVar('R')
R_co = TypeVar('R_co', covariant=True)
T = TypeVar('T')
T_co = TypeVar('T_co', bound=Task[Any], covariant=True)


class Runs(Protocol[P, R_co]):
    """A class with a ``run``."""

    def run(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...


class TypedProxy(Generic[P, T_co]):
    """What a checker sees of a proxy that was made from a class."""

    if TYPE_CHECKING:
        name: str
        version: str
        options: Any

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type) -> TypedBound[P, T_co]: ...
        def __get__(self, instance: object, owner: type) -> Any: ...

        def task(self, *args: P.args, **kwargs: P.kwargs) -> T_co: ...


def _made_from(cls: type, kind: type, make: Callable[..., Proxy], options: dict[str, Any]) -> Proxy:
    specs = [spec for spec in declared(cls) if isinstance(spec, kind)]
    if not specs:
        word = 'activity' if kind is ActivitySpec else 'workflow'
        raise DefinitionError(
            f'{cls.__qualname__}.proxy() needs a name and version: decorate the class with @{word}(name=…, version=…), '
            'above the workflow that calls it'
        )
    proxy = make(name=specs[-1].name, version=specs[-1].version, **options)
    proxy.hinted = cls
    if options.get('transport') is None:
        other: Any = object.__new__(cls)
        for name in (f'_{hook}' for hook in HOOKS):
            if getattr(cls, name) is not getattr(Serialization, name):
                setattr(proxy, name, getattr(other, name))
    return proxy


def activity_proxy(cls: type[Runs[P, R]], **options: Any) -> TypedProxy[P, Task[R]]:
    """A proxy of a decorated activity class, with the options of :class:`~genflow.ActivityProxy`."""
    return cast('TypedProxy[P, Task[R]]', _made_from(cls, ActivitySpec, ActivityProxy, options))


@overload
def workflow_proxy(cls: type[Runs[P, Generator[Any, Any, R]]], **options: Any) -> TypedProxy[P, ChildTask[R]]: ...
@overload
def workflow_proxy(cls: type[Runs[P, R]], **options: Any) -> TypedProxy[P, ChildTask[R]]: ...
def workflow_proxy(cls: Any, **options: Any) -> Any:
    """A proxy of a decorated workflow class, with the options of :class:`~genflow.WorkflowProxy`."""
    return _made_from(cls, WorkflowSpec, WorkflowProxy, options)
