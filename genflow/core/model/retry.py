"""When a failed attempt is tried again, and after how long.

The policy is asked only in a live decision: at replay the history shows whether there was another attempt and how long
the wait was, so a changed policy breaks no running execution.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from random import Random
from typing import Any

from attrs import Factory, field, frozen

from genflow.core.durations import in_seconds
from genflow.core.errors import ActivityTimedOut, DefinitionError, ScheduleFailed, TaskCanceled, TaskFailed, TaskTimeout
from genflow.core.model.wire_names import GIVE_UP, RETRY_LATER, UNKNOWN_ACTIVITY_TYPE, WORKER_STOPPED

__all__ = ['NO_RETRY', 'Retries', 'Retry', 'least_wait', 'retry_policy']

Failure = type[BaseException] | str

UNKNOWN_TYPE_WAITS = (10, 300)
"""Seconds before the second attempt at a type that a worker did not know, doubled from then on, and the most."""


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _kinds(value: Failure | Iterable[Failure]) -> tuple[Failure, ...]:
    kinds = (value,) if isinstance(value, (str, type)) else tuple(value)
    for kind in kinds:
        if not isinstance(kind, str) and not _is_exception(kind):
            raise DefinitionError(f'{kind!r} is neither an exception class nor the name of one')
    return kinds


@frozen
class Retry:
    """How often and after which waits a failed attempt is tried again.

    The wait before attempt ``n + 1`` is ``initial_interval * backoff ** (n - 1)`` seconds, at most ``max_interval``,
    give or take ``jitter`` of it, rounded up to whole seconds since SWF's timers know nothing shorter; a wait of zero
    needs no timer.

    Args:
        max_attempts: The first try counted; ``math.inf`` never gives up.
        initial_interval: Seconds or a ``timedelta``.
        backoff: The factor from one wait to the next, at least 1.
        max_interval: Seconds or a ``timedelta``.
        jitter: A part of the wait, 0 to 1.
        on: Exception classes or names (simple or qualified, as recorded) that are tried again. A class also covers
            the remote exceptions that name it or a base of theirs. Cancellations and refusals by SWF are tried again
            only where their own classes are named.
        give_up_on: Classes or names that are not tried again, whatever ``on`` says.
    """

    max_attempts: float
    initial_interval: float = field(default=1, converter=in_seconds, kw_only=True)
    backoff: float = field(default=2, kw_only=True)
    max_interval: float = field(default=60, converter=in_seconds, kw_only=True)
    jitter: float = field(default=0.1, kw_only=True)
    on: tuple[Failure, ...] = field(default=(TaskFailed,), converter=_kinds, kw_only=True)
    give_up_on: tuple[Failure, ...] = field(default=Factory(tuple), converter=_kinds, kw_only=True)

    def __attrs_post_init__(self) -> None:
        whole = self.max_attempts == math.inf or (
            isinstance(self.max_attempts, int) and not isinstance(self.max_attempts, bool) and self.max_attempts >= 1
        )
        if not whole:
            raise DefinitionError(
                f'max_attempts is {self.max_attempts!r}; it must be a whole number of at least 1, or math.inf'
            )
        for name in ('initial_interval', 'max_interval', 'jitter'):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise DefinitionError(f'{name} is {value!r}; it must be a number of at least 0')
        if self.backoff < 1 or self.jitter > 1:
            raise DefinitionError(
                f'backoff is {self.backoff!r} and jitter is {self.jitter!r}; backoff must be at least 1 and jitter at '
                'most 1'
            )

    def again(self, error: BaseException, tried: int) -> bool:
        """Whether to try again after ``tried`` attempts of which the last gave ``error``."""
        if tried >= self.max_attempts or any(_is(error, kind) for kind in (GIVE_UP, *self.give_up_on)):
            return False
        if _is(error, RETRY_LATER):
            return True
        kinds = self.on
        if isinstance(error, (TaskCanceled, ScheduleFailed)):
            kinds = tuple(kind for kind in kinds if kind not in (TaskFailed, Exception, BaseException))
        return any(_is(error, kind) for kind in kinds)

    def covers(self, error: BaseException) -> bool:
        """Whether the policy is for this failure, regardless of the number of attempts."""
        return math.isinf(self.max_attempts) or self.again(error, 0)

    def for_failure(self, error: BaseException) -> Retry:
        """The policy that a failure is tried again by: this one."""
        return self

    def unused(self, error: BaseException, tried: int) -> str | None:
        """A hint if a policy for time-outs does not retry this failure, and one for failures would."""
        further = self.max_attempts - 1
        shorthand = self == Retry(self.max_attempts, initial_interval=0, on=(TaskTimeout,))
        if not shorthand or not further or self.again(error, 0) or not Retry(self.max_attempts).again(error, tried):
            return None
        return (
            f'retry={further:g} retries time-outs only; retry=Retry({self.max_attempts:g}) would have retried this '
            'failure too.'
        )

    def interval(self, tried: int, random: Random) -> int:
        """Whole seconds to wait after ``tried`` attempts."""
        if self.initial_interval == 0:
            return 0
        try:
            wait = min(self.initial_interval * self.backoff ** (tried - 1), self.max_interval)
        except OverflowError:
            wait = self.max_interval
        return math.ceil(wait * (1 + self.jitter * random.uniform(-1, 1)))


def _is(error: BaseException, kind: Failure) -> bool:
    """Whether an error is of a class or name, by itself, by what it was brought back from, or by its recorded names."""
    remote = error if isinstance(error, TaskFailed) else error.__cause__
    names: tuple[str, ...] = getattr(remote, 'names', ())
    if kind in _TIMEOUTS and isinstance(remote, TaskFailed) and _counts_as_timeout(remote.reason):
        return True
    if isinstance(kind, str):
        cls: Any = type(error)
        return any(kind in (name, name.rpartition('.')[2]) for name in names) or _is_named(cls, kind)
    return isinstance(error, kind) or isinstance(remote, kind) or f'{kind.__module__}.{kind.__qualname__}' in names


def _counts_as_timeout(reason: str | None) -> bool:
    return reason is not None and (reason == WORKER_STOPPED or reason.startswith(UNKNOWN_ACTIVITY_TYPE))


_TIMEOUTS = frozenset(
    {TaskTimeout, ActivityTimedOut, TimeoutError}
    | {
        name
        for cls in (TaskTimeout, ActivityTimedOut)
        for name in (cls.__name__, f'{cls.__module__}.{cls.__qualname__}')
    }
)
"""The classes and names by which a policy means time-outs of activities."""


@frozen
class Retries:
    """Several policies, of which the first one that covers a failure says whether and when it is tried again.

    Attempts are counted over all failures of a call: ``max_attempts`` of the policy that covers the latest failure is
    the limit then.
    """

    policies: tuple[Retry, ...]

    def for_failure(self, error: BaseException) -> Retry:
        """The first policy that covers a failure; one that tries nothing again where there is none."""
        return next((policy for policy in self.policies if policy.covers(error)), NO_RETRY)

    def again(self, error: BaseException, tried: int) -> bool:
        """As :meth:`Retry.again`."""
        return self.for_failure(error).again(error, tried)

    def unused(self, error: BaseException, tried: int) -> str | None:
        """``None``, because a list says for which failures each policy is."""
        return None


def least_wait(error: BaseException | None, tried: int) -> int:
    """The least seconds before another attempt, regardless of the policy."""
    remote = error if isinstance(error, TaskFailed) or error is None else error.__cause__
    if isinstance(remote, TaskFailed) and remote.retry_after is not None:
        return math.ceil(remote.retry_after)
    if not isinstance(error, TaskFailed) or not (error.reason or '').startswith(UNKNOWN_ACTIVITY_TYPE):
        return 0
    first, most = UNKNOWN_TYPE_WAITS
    return int(min(first * 2.0 ** min(tried - 1, 30), most))


NO_RETRY = Retry(1)


def retry_policy(value: Any) -> Retry | Retries:
    """The policy that ``retry=`` means: ``3`` is three more tries after a time-out, at once; ``0`` is one try."""
    if isinstance(value, (Retry, Retries)):
        return value
    if isinstance(value, (list, tuple)) and value and all(isinstance(policy, Retry) for policy in value):
        return Retries(tuple(value))
    if value is None:
        return NO_RETRY
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Retry(value + 1, initial_interval=0, on=(TaskTimeout,))
    raise DefinitionError(
        f'retry is {value!r}; it must be a number of retries (0 or more), a Retry(...) or a list of them'
    )


@lru_cache(maxsize=1024)
def _is_named(cls: Any, name: str) -> bool:
    """Whether a class or one of its bases has a name, alone or with its module."""
    return any(
        name.endswith(base.__name__) and name in (base.__name__, f'{base.__module__}.{base.__qualname__}')
        for base in cls.__mro__
    )
