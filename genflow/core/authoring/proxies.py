"""Proxies: how a workflow names what it calls.

``echo = ActivityProxy(name='Echo', version='v1')`` on a workflow class makes ``self.echo(x)`` a call. On the class
itself ``Order.echo`` is the proxy, and ``Order.echo.task(x)`` a description. A proxy does not need the code of the
other side: it has a name, a version, settings and a serialization.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, overload

from genflow.core.calls.activity import ActivityCall
from genflow.core.calls.call import RetryableCall
from genflow.core.calls.child import ChildCall
from genflow.core.calls.lambda_ import LambdaCall
from genflow.core.durations import Duration
from genflow.core.errors import DefinitionError
from genflow.core.model.identifiers import checked_name, checked_text
from genflow.core.model.options import ActivityOptions, ChildOptions, LambdaOptions, overridden, seconds
from genflow.core.payloads.hooks import Serialization, encode_value, use_transport
from genflow.core.tasks.loop import DescribingLoop, Loop

if TYPE_CHECKING:
    from typing_extensions import Self

    from genflow.core.authoring.bound_types import ChildTask, TypedBound
    from genflow.core.tasks.task import Task

__all__ = ['ActivityProxy', 'Bound', 'LambdaProxy', 'Proxy', 'WorkflowProxy', 'type_version']


MAX_LAMBDA_NAME = 64


def type_version(value: Any) -> str:
    """A version as SWF has it: text of 1 to 64 characters; whole numbers are welcome."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise DefinitionError(f'version is {value!r}; it must be text or a whole number')
    return checked_name(str(value), 'version', 64)


class Bound:
    """A proxy on a workflow: calling it makes a task."""

    __slots__ = ('_driver', '_given', '_settings', 'proxy')

    def __init__(self, proxy: Proxy, loop: Loop, given: Mapping[str, Any] | None = None) -> None:
        self.proxy = proxy
        self._driver = loop
        self._given = given
        self._settings = proxy.options if not given else overridden(proxy.options, given, strict=True)

    def __call__(self, *args: Any, **kwargs: Any) -> RetryableCall:
        loop, settings = self._driver, self._settings
        branch = loop.current
        if branch is not None and branch.settings:
            settings = overridden(self.proxy.options, {**branch.settings, **(self._given or {})})
        call = self.proxy.call(loop.owner, self.proxy, settings, args, kwargs)
        loop.schedule(call, sys._getframe(1))
        return call

    def with_options(self, **options: Any) -> Bound:
        """The same with some settings changed, for one call or several.

        Raises:
            DefinitionError: An option is unknown or wrong.
        """
        return Bound(self.proxy, self._driver, {**(self._given or {}), **options})

    def __eq__(self, other: object) -> bool:
        """The same proxy with the same settings asks the same, whichever workflow it is called on."""
        if not isinstance(other, Bound):
            return NotImplemented
        return self.proxy is other.proxy and (self._given or {}) == (other._given or {})

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return repr(self.proxy)


class Proxy(Serialization):
    """The part that all proxies share."""

    call: type[RetryableCall]
    options: Any
    owner: type | None = None
    """The class whose attribute it is, ``None`` for one that is data."""

    def __init__(self, name: str, version: Any, options: Any, transport: Any) -> None:
        self.name = checked_name(name, 'name')
        self.version = None if version is None else type_version(version)
        self.options = options
        if transport is not None:
            use_transport(self, transport)

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner = owner

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.bound(instance.loop)

    def bound(self, loop: Loop) -> Bound:
        return Bound(self, loop)

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise DefinitionError(
            f'{self!r} is called, but is not bound to a workflow: call self.bind(proxy)(…) in the workflow, or make '
            'the proxy an attribute of the class. For a description outside of a workflow, use proxy.task(…)'
        )

    def task(self, *args: Any, **kwargs: Any) -> RetryableCall:
        """A description of a call with these arguments."""
        return self.call(None, self, self.options, args, kwargs)

    def with_options(self, **options: Any) -> Bound:
        """The proxy with some settings changed, as a describing callable."""
        return Bound(self, DescribingLoop(), options)

    def __repr__(self) -> str:
        version = '' if self.version is None else f', version={self.version!r}'
        return f'{type(self).__name__}(name={self.name!r}{version})'


class ActivityProxy(Proxy):
    """An activity type that a workflow calls.

    Args:
        name: Of the activity type.
        version: Of the activity type.
        heartbeat: Seconds or a ``timedelta``; like the other three, ``None`` leaves the type's default and ``math.inf``
            is SWF's ``NONE``.
        schedule_to_close: Seconds; where one of the next two is given without it, their sum.
        schedule_to_start: Seconds.
        start_to_close: Seconds.
        task_list: ``None`` for the type's own.
        retry: Further tries after a time-out, or a :class:`~genflow.Retry`.
        delay: Seconds before the first try.
        error_handling: If true, a failure that the workflow never retrieves does not fail the workflow.
        raises: Exception classes of the activity that the ``yield`` raises as such, instead of wrapped in
            :class:`ActivityFailed`.
        priority: Of its tasks: those with the higher number go first.
        transport: An object with the serialization methods.
    """

    call = ActivityCall

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type | None = None) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type | None = None) -> TypedBound[..., Task[Any]]: ...
        def __get__(self, instance: Any, owner: type | None = None) -> Any: ...

    def __init__(
        self,
        name: str,
        version: Any,
        heartbeat: Duration | None = None,
        schedule_to_close: Duration | None = None,
        schedule_to_start: Duration | None = None,
        start_to_close: Duration | None = None,
        task_list: str | None = None,
        retry: Any = 3,
        delay: Duration = 0,
        error_handling: bool = False,
        *,
        raises: Any = (),
        priority: int | None = None,
        transport: Any = None,
    ) -> None:
        options = ActivityOptions(
            task_list=task_list,
            priority=priority,
            heartbeat=seconds(heartbeat, 'heartbeat'),
            schedule_to_close=seconds(schedule_to_close, 'schedule_to_close'),
            schedule_to_start=seconds(schedule_to_start, 'schedule_to_start'),
            start_to_close=seconds(start_to_close, 'start_to_close'),
            retry=retry,
            delay=delay,
            error_handling=error_handling,
            raises=raises,
        )
        super().__init__(name, version, options, transport)


class WorkflowProxy(Proxy):
    """A workflow type that a workflow starts as its child.

    Args:
        name: Of the workflow type.
        version: Of the workflow type.
        decision_duration: Seconds that one decision of the child may take.
        workflow_duration: Seconds that the child may take.
        task_list: ``None`` for the type's own; the other settings likewise.
        retry: As for :class:`ActivityProxy`, like the next two and ``raises``.
        delay: Seconds before the first try.
        error_handling: If true, a failure that the workflow never retrieves does not fail the workflow.
        workflow_id: The child's id; made of the parent's run and the number of the call unless given.
        tags: One, or several, by which executions are found.
        priority: Of its decision tasks: those with the higher number go first.
        child_policy: What SWF does with its open children when it is terminated or times out: ``'TERMINATE'``,
            ``'REQUEST_CANCEL'`` or ``'ABANDON'``.
        lambda_role: The ARN of the IAM role with which it calls Lambda functions.
        raises: Exception classes of the child that the ``yield`` raises as such, instead of wrapped in
            :class:`ChildFailed`.
        transport: An object with the serialization methods.
    """

    call = ChildCall

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type | None = None) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type | None = None) -> TypedBound[..., ChildTask[Any]]: ...
        def __get__(self, instance: Any, owner: type | None = None) -> Any: ...

    def __init__(
        self,
        name: str,
        version: Any,
        decision_duration: Duration | None = None,
        workflow_duration: Duration | None = None,
        task_list: str | None = None,
        retry: Any = 3,
        delay: Duration = 0,
        error_handling: bool = False,
        *,
        workflow_id: str | None = None,
        tags: Any = None,
        priority: int | None = None,
        child_policy: str | None = None,
        lambda_role: str | None = None,
        raises: Any = (),
        transport: Any = None,
    ) -> None:
        options = ChildOptions(
            workflow_id=workflow_id,
            task_list=task_list,
            priority=priority,
            workflow_duration=seconds(workflow_duration, 'workflow_duration'),
            decision_duration=seconds(decision_duration, 'decision_duration'),
            child_policy=child_policy,
            tags=tags,
            lambda_role=lambda_role,
            retry=retry,
            delay=delay,
            error_handling=error_handling,
            raises=raises,
        )
        super().__init__(name, version, options, transport)


class LambdaProxy(Proxy):
    """A Lambda function that a workflow calls.

    Called with one positional argument it sends that value as the event; with keyword arguments, an object of them.

    Args:
        name: The function's name or ARN, at most 64 characters.
        start_to_close: 1 to 900 seconds.
        retry: As for :class:`ActivityProxy`, none unless given.
        delay: Seconds before the first try.
        error_handling: If true, a failure that the workflow never retrieves does not fail the workflow.
        transport: An object with the serialization methods.
    """

    call = LambdaCall

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type | None = None) -> Self: ...
        @overload
        def __get__(self, instance: object, owner: type | None = None) -> TypedBound[..., Task[Any]]: ...
        def __get__(self, instance: Any, owner: type | None = None) -> Any: ...

    def __init__(
        self,
        name: str,
        *,
        start_to_close: Duration | None = None,
        retry: Any = 0,
        delay: Duration = 0,
        error_handling: bool = False,
        transport: Any = None,
    ) -> None:
        options = LambdaOptions(
            start_to_close=seconds(start_to_close, 'start_to_close'),
            retry=retry,
            delay=delay,
            error_handling=error_handling,
        )
        self.name = checked_text(name, 'the name or ARN of a Lambda function', MAX_LAMBDA_NAME)
        self.version = None
        self.options = options
        if transport is not None:
            use_transport(self, transport)

    def _serialize_arguments(self, *args: Any, **kwargs: Any) -> str:
        if len(args) > 1 or (args and kwargs):
            raise DefinitionError(f'{self!r} takes one positional argument (the event) or keyword arguments only')
        return encode_value(args[0] if args else kwargs)
