"""The settings of a call, one frozen class for each kind of call.

A proxy has a full set; ``with self.options(...)`` and ``with_options(...)`` override single members. On a proxy
``None`` leaves the type's registered default and ``math.inf`` is SWF's ``NONE``. Durations are seconds, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import attrs
from attrs import Factory, field, frozen

from genflow.core.durations import in_seconds
from genflow.core.errors import DefinitionError
from genflow.core.model.identifiers import checked_id, checked_name, checked_text
from genflow.core.model.retry import NO_RETRY, Retries, Retry, retry_policy

__all__ = [
    'CHILD_POLICIES',
    'MAX_SECONDS',
    'ActivityOptions',
    'ChildOptions',
    'LambdaOptions',
    'RestartOptions',
    'checked_names',
    'child_policy',
    'overridden',
    'priority',
    'seconds',
    'tag_list',
    'workflow_id',
]

MAX_SECONDS = 31_536_000
"""One year, which no time-out or timer of SWF exceeds (SWF's quotas)."""

MAX_LAMBDA_SECONDS = 900

MAX_TAGS = 5
MAX_TAG = 256
"""Tags of an execution: five of at most 256 characters (SWF's ``TagList``)."""

MAX_WORKFLOW_ID = 256
"""Characters of a workflow id (API reference of ``StartWorkflowExecution``)."""

MAX_ROLE = 1600
"""Characters of the ARN of a role (SWF's ``Arn``)."""

CHILD_POLICIES = ('TERMINATE', 'REQUEST_CANCEL', 'ABANDON')

O = TypeVar('O')  # noqa: E741 - an option set, whichever


def seconds(value: Any, name: str = 'seconds') -> float | None:
    """A duration in whole seconds, rounded up, of a number or a ``timedelta``; ``None`` and ``math.inf`` pass.

    Raises:
        DefinitionError: It is no duration, negative, or longer than a year.
    """
    if value is None or value == math.inf:
        return value  # type: ignore[no-any-return]
    value = in_seconds(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise DefinitionError(f'{name} is {value!r}; it must be a number of seconds or a timedelta')
    if not 0 <= value <= MAX_SECONDS:
        raise DefinitionError(f'{name} is {value!r} seconds; it must be between 0 and {MAX_SECONDS:,} (a year)')
    return math.ceil(value)


def _seconds(value: Any, _: Any, attribute: Any) -> float | None:
    return seconds(value, attribute.name)


def tag_list(value: Iterable[str] | None) -> tuple[str, ...] | None:
    """At most five tags of at most 256 characters."""
    if value is None:
        return None
    tags = (value,) if isinstance(value, str) else tuple(value)
    if len(tags) > MAX_TAGS:
        raise DefinitionError(f'tags are {tags!r}; SWF takes at most {MAX_TAGS} texts of at most {MAX_TAG} characters')
    return tuple('' if tag == '' else checked_text(tag, 'a tag', MAX_TAG) for tag in tags)


def child_policy(value: str | None) -> str | None:
    if value is not None and value not in CHILD_POLICIES:
        raise DefinitionError(f'child_policy is {value!r}; it must be one of {", ".join(CHILD_POLICIES)}')
    return value


def classes(value: Any) -> tuple[type[BaseException], ...]:
    found = (value,) if isinstance(value, type) else tuple(value)
    for cls in found:
        if not (isinstance(cls, type) and issubclass(cls, BaseException)):
            raise DefinitionError(f'raises contains {cls!r}, which is not an exception class')
    return found


def _duration() -> Any:
    return field(default=None, converter=attrs.Converter(_seconds, takes_self=True, takes_field=True))


def _delay(value: Any) -> int:
    found = seconds(value, 'delay')
    if found is None or found == math.inf:
        raise DefinitionError(f'delay is {value!r}; it must be a number of seconds or a timedelta')
    return int(found)


def priority(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
        raise DefinitionError(f'priority is {value!r}; it must be a 32-bit whole number')
    return value


def workflow_id(value: Any) -> str | None:
    """Checks a workflow id; an empty one is refused, because it would count as not given."""
    return None if value is None else checked_id(value, 'workflow_id', MAX_WORKFLOW_ID)


def task_list(value: Any) -> str | None:
    return None if value is None else checked_name(value, 'task_list')


def lambda_role(value: Any) -> str | None:
    return None if value is None else checked_text(value, 'lambda_role', MAX_ROLE)


@frozen
class ActivityOptions:
    """Settings of an activity call.

    Attributes:
        sent_schedule_to_close: What is sent as ``schedule_to_close``: the sum of the two parts where only they are
            given. A part that is left to the type is unknown here; no limit on the whole then says the same as the sum
            would, since each part has its own.
        lasts: How many seconds an attempt may take at most with the delay before it, where that is given.
    """

    task_list: str | None = field(default=None, converter=task_list)
    priority: int | None = field(default=None, converter=priority)
    heartbeat: float | None = _duration()
    schedule_to_close: float | None = _duration()
    schedule_to_start: float | None = _duration()
    start_to_close: float | None = _duration()
    retry: Retry | Retries = field(default=Factory(lambda: retry_policy(3)), converter=retry_policy)
    delay: int = field(default=0, converter=_delay)
    error_handling: bool = False
    raises: tuple[type[BaseException], ...] = field(default=(), converter=classes)
    sent_schedule_to_close: float | None = field(init=False, eq=False, repr=False)
    lasts: float | None = field(init=False, eq=False, repr=False)

    @sent_schedule_to_close.default
    def _sum_of_parts(self) -> float | None:
        parts = (self.schedule_to_start, self.start_to_close)
        if self.schedule_to_close is not None or parts == (None, None):
            return self.schedule_to_close
        if None in parts:
            return math.inf
        total = sum(part for part in parts if part is not None)
        return total if total <= MAX_SECONDS else math.inf

    @lasts.default
    def _lasts(self) -> float | None:
        return self.delay + (self.start_to_close or 0) if self.delay else self.start_to_close


def _delay_of(options: Any) -> float | None:
    return options.delay or None


@frozen
class ChildOptions:
    """Settings of a child workflow; ``lasts`` is the delay before it, if there is one."""

    workflow_id: str | None = field(default=None, converter=workflow_id)
    task_list: str | None = field(default=None, converter=task_list)
    priority: int | None = field(default=None, converter=priority)
    workflow_duration: float | None = _duration()
    decision_duration: float | None = _duration()
    child_policy: str | None = field(default=None, converter=child_policy)
    tags: tuple[str, ...] | None = field(default=None, converter=tag_list)
    lambda_role: str | None = field(default=None, converter=lambda_role)
    retry: Retry | Retries = field(default=Factory(lambda: retry_policy(3)), converter=retry_policy)
    delay: int = field(default=0, converter=_delay)
    error_handling: bool = False
    raises: tuple[type[BaseException], ...] = field(default=(), converter=classes)
    lasts: float | None = field(default=Factory(_delay_of, takes_self=True), init=False, eq=False, repr=False)


@frozen
class LambdaOptions:
    """Settings of a Lambda function's call; ``start_to_close`` is 1 to 900 seconds, SWF's limits.

    ``lasts`` is the delay before it, if there is one.
    """

    start_to_close: float | None = _duration()
    retry: Retry | Retries = field(default=NO_RETRY, converter=retry_policy)
    delay: int = field(default=0, converter=_delay)
    error_handling: bool = False
    raises: tuple[type[BaseException], ...] = field(default=(), converter=classes)
    lasts: float | None = field(default=Factory(_delay_of, takes_self=True), init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.start_to_close is not None and not 1 <= self.start_to_close <= MAX_LAMBDA_SECONDS:
            raise DefinitionError(
                f'start_to_close is {self.start_to_close!r}; for a Lambda function it must be 1 to 900 seconds'
            )


def _version(value: Any) -> str | None:
    return None if value is None else str(value)


@frozen
class RestartOptions:
    """The settings of the next run, by ``self.restart.with_options(...)``; ``None`` keeps the setting of this run."""

    version: str | None = field(default=None, converter=_version)
    task_list: str | None = field(default=None, converter=task_list)
    priority: int | None = field(default=None, converter=priority)
    workflow_duration: float | None = _duration()
    decision_duration: float | None = _duration()
    child_policy: str | None = field(default=None, converter=child_policy)
    tags: tuple[str, ...] | None = field(default=None, converter=tag_list)
    lambda_role: str | None = field(default=None, converter=lambda_role)


_CALLS = (ActivityOptions, ChildOptions, LambdaOptions)
_NAMES = {
    cls: frozenset(attribute.name for attribute in attrs.fields(cls) if attribute.init)
    for cls in (*_CALLS, RestartOptions)
}


def checked_names(given: Mapping[str, Any]) -> None:
    """Refuses a name that is an option of no kind of call, and a value that is none.

    Raises:
        DefinitionError: Names the option.
    """
    known = frozenset().union(*(_NAMES[cls] for cls in _CALLS))
    for name in given:
        if name not in known:
            raise DefinitionError(f'there is no option {name!r}; options are {", ".join(sorted(known))}')
    for cls in _CALLS:
        cls(**{name: value for name, value in given.items() if name in _NAMES[cls]})


def overridden(options: O, given: Mapping[str, Any], *, strict: bool = False) -> O:
    """An option set with the members of ``given`` that it has.

    Raises:
        DefinitionError: ``strict`` and a name is not an option of this kind of call.
    """
    names = _NAMES[type(options)]  # type: ignore[index]
    if strict:
        for name in given:
            if name not in names:
                raise DefinitionError(f'there is no option {name!r} here; options are {", ".join(sorted(names))}')
    mine = {name: value for name, value in given.items() if name in names}
    return attrs.evolve(options, **mine) if mine else options  # type: ignore[misc]
