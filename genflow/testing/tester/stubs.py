"""Stubs: what stands in for an activity, a child workflow or a Lambda function in a test.

A stub is a value (the result; a list too), an exception or its class (raised), a function (called with the
arguments), another activity or workflow class, :class:`Fail`, :class:`TimeOut`, :class:`Never`, or a
:class:`Script` of stubs, one for each call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen

from genflow.core.authoring.activity import Activity
from genflow.core.errors import GenflowError, StopActivity, SuspendTask
from genflow.core.payloads.hooks import Serialization
from genflow.swf.tasks.respond import Failed

__all__ = ['Fail', 'Never', 'Script', 'Stand', 'TesterError', 'TimeOut', 'taken']


class TesterError(GenflowError):
    """A test asks for something impossible: an unknown proxy, a script that has ended, a workflow that waits."""

    __test__ = False  # pytest collects classes whose names begin with Test


@frozen
class Fail:
    """The call fails.

    Attributes:
        reason: The recorded reason, of at most 256 characters.
        details: The recorded details, of at most 32,768 characters.
    """

    reason: str = 'failed'
    details: str | None = None


TIMEOUT_TYPES = {
    'activity': ('START_TO_CLOSE', 'SCHEDULE_TO_START', 'SCHEDULE_TO_CLOSE', 'HEARTBEAT'),
    'child': ('START_TO_CLOSE',),
    'lambda': ('START_TO_CLOSE',),
}
"""By kind of call: the time-outs that it can have (SWF's ``ActivityTaskTimeoutType`` and its siblings)."""


@frozen
class TimeOut:
    """The call times out: nothing answers it until one of its time-outs strikes.

    Attributes:
        type: The time-out that has to fire: ``START_TO_CLOSE``, of activities also ``SCHEDULE_TO_START``,
            ``SCHEDULE_TO_CLOSE`` or ``HEARTBEAT``. The activity is not even started for ``SCHEDULE_TO_START``. ``None``
            takes whichever strikes first once the call has begun.

    Raises:
        ValueError: There is no such time-out.
    """

    type: str | None = field(default=None)

    @type.validator
    def _check_type(self, attribute: object, value: str | None) -> None:
        known = TIMEOUT_TYPES['activity']
        if value is not None and value not in known:
            raise ValueError(f'there is no time-out {value!r}; SWF has {", ".join(known)}')


@frozen
class Never:
    """The call is started and never answered. Its time-outs still fire."""


class Script:
    """One stub for each call, in order; a call beyond the last one ends the test."""

    def __init__(self, *stubs: Any) -> None:
        self.stubs = stubs
        self.called = 0

    def next(self, name: str) -> Any:
        """The stub of this call.

        Raises:
            TesterError: There is none left.
        """
        self.called += 1
        if self.called > len(self.stubs):
            entries = '1 entry' if len(self.stubs) == 1 else f'{len(self.stubs)} entries'
            raise TesterError(f'{name} was called {self.called} times, but its script has {entries}')
        return self.stubs[self.called - 1]

    def __repr__(self) -> str:
        return f'Script({", ".join(map(repr, self.stubs))})'


def taken(stub: Any, name: str) -> Any:
    """The stub of one call: of a script, its next.

    Raises:
        TesterError: The script has ended.
    """
    while isinstance(stub, Script):
        stub = stub.next(name)
    return stub


@define(eq=False)
class Stand(Activity):
    """The activity that a stub is: run as any other, with the serialization of what it stands in for.

    Attributes:
        name: Of the type.
        stub: What it does.
        hooks: Has the serialization.
        kind: Of the call: ``activity``, ``child`` or ``lambda``.
        failure: The failure that the stub names in SWF's own words.
        crash: What is no outcome but an error of the test itself.
        time_out: The :class:`TimeOut` that the stub is.
    """

    name: str
    stub: Any
    hooks: Serialization
    kind: str = 'activity'
    failure: Failed | None = None
    crash: BaseException | None = None
    time_out: TimeOut | None = None

    def __attrs_post_init__(self) -> None:
        for hook in ('_deserialize_arguments', '_serialize_result'):
            setattr(self, hook, getattr(self.hooks, hook))

    def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._played(self.stub, args, kwargs)
        except (Exception, StopActivity, SuspendTask) as error:
            if isinstance(error, (AssertionError, TesterError)):
                self.crash = error
            raise
        except BaseException as error:  # pytest.fail() and Ctrl-C mean the test
            self.crash = error
            raise

    def _played(self, stub: Any, args: Any, kwargs: Any) -> Any:
        stub = taken(stub, self.name)
        act = _ACTS.get(type(stub))
        if act is not None:
            return act(self, stub)
        if isinstance(stub, BaseException):
            raise stub.with_traceback(None)  # or each time would add to what the last one left there
        if isinstance(stub, type) and issubclass(stub, BaseException):
            raise stub
        if callable(stub):
            return self._answer(stub(*args, **kwargs))
        return stub

    def _answer(self, value: Any) -> Any:
        """What a function gave: a value, or one of our own words."""
        act = _ACTS.get(type(value))
        return value if act is None else act(self, value)

    def fail(self, stub: Fail) -> Any:
        self.failure = Failed(stub.reason, stub.details)
        raise RuntimeError(stub.reason)

    def stay_silent(self, stub: Any) -> Any:
        if isinstance(stub, TimeOut):
            self.time_out = stub
            self._check_time_out(stub)
        raise SuspendTask

    def _check_time_out(self, stub: TimeOut) -> None:
        known = TIMEOUT_TYPES[self.kind]
        if stub.type is not None and stub.type not in known:
            raise TesterError(f'{self.name} is a {self.kind}, which cannot time out by {stub.type}: {known[0]} only')


_ACTS: dict[type, Callable[[Stand, Any], Any]] = {
    Fail: Stand.fail,
    TimeOut: Stand.stay_silent,
    Never: Stand.stay_silent,
}
