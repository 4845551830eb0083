"""The types of proxies on a workflow, and of the tasks that they give, for type checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from genflow.core.tasks.task import Task

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from genflow.core.authoring.option_types import CallOptions
    from genflow.core.tasks.signals import Signal

__all__ = ['ChildTask', 'TypedBound']

P = ParamSpec('P')
R_co = TypeVar('R_co', covariant=True)
T = TypeVar('T')
T_co = TypeVar('T_co', bound=Task[Any], covariant=True)


class ChildTask(Task[R_co]):
    """The type of a child's task; at run time it is a call like any other."""

    if TYPE_CHECKING:

        @property
        def workflow_id(self) -> str: ...

        @overload
        def signal(self, signal: str, value: Any = None) -> Task[None]: ...
        @overload
        def signal(self, signal: Signal[T], value: T = ...) -> Task[None]: ...
        def signal(self, signal: Any, value: Any = None) -> Task[None]: ...

        def detach(self) -> Self: ...


class TypedBound(Protocol[P, T_co]):
    """A proxy on a workflow."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co: ...

    def with_options(self, **options: Unpack[CallOptions]) -> TypedBound[P, T_co]: ...
