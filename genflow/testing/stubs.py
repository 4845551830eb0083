"""Stubs: what stands in for an activity, a child workflow or a Lambda function in a test.

A stub is a value (the result; a list too), an exception or its class (raised), a function (called with the
arguments), another activity or workflow class, :class:`Fail`, :class:`TimeOut`, :class:`Never`, or a
:class:`Script` of stubs, one for each call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, frozen

from genflow.core.activity import Activity
from genflow.core.errors import GenflowError, StopActivity, SuspendTask
from genflow.core.serialization import Serialization
from genflow.swf.respond import Failed

__all__ = ['Fail', 'Never', 'Script', 'Stand', 'TesterError', 'TimeOut']


class TesterError(GenflowError):
    """A test asks for something that cannot be: an unknown proxy, a script that has ended, a workflow that waits."""

    __test__ = False  # pytest collects classes whose names begin with Test


@frozen
class Fail:
    """The call fails.

    Attributes:
        reason: What SWF records; text of at most 256 characters.
        details: Likewise, at most 32,768.
    """

    reason: str = 'failed'
    details: str | None = None


@frozen
class TimeOut:
    """The call is begun and not answered until the first of its time-outs strikes, which has to have a limit."""


@frozen
class Never:
    """The call is begun and never answered; what limits it has still strike."""


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
            raise TesterError(f'{name} was called for the {self.called}. time, but its script has {len(self.stubs)}')
        return self.stubs[self.called - 1]

    def __repr__(self) -> str:
        return f'Script({", ".join(map(repr, self.stubs))})'


@define(eq=False)
class Stand(Activity):
    """The activity that a stub is: run as any other, with the serialization of what it stands in for.

    Attributes:
        name: Of the type.
        stub: What it does.
        hooks: Has the serialization.
        said: The failure that the stub names in SWF's own words.
        crash: What is no outcome but an error of the test itself.
        must_time_out: The stub is a :class:`TimeOut`.
    """

    name: str
    stub: Any
    hooks: Serialization
    said: Failed | None = None
    crash: BaseException | None = None
    must_time_out: bool = False

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
        while isinstance(stub, Script):
            stub = stub.next(self.name)
        act = _ACTS.get(type(stub))
        if act is not None:
            return act(self, stub)
        if isinstance(stub, BaseException) or (isinstance(stub, type) and issubclass(stub, BaseException)):
            raise stub
        if callable(stub):
            return self._answer(stub(*args, **kwargs))
        return stub

    def _answer(self, value: Any) -> Any:
        """What a function gave: a value, or one of our own words."""
        act = _ACTS.get(type(value))
        return value if act is None else act(self, value)

    def fail(self, stub: Fail) -> Any:
        self.said = Failed(stub.reason, stub.details)
        raise RuntimeError(stub.reason)

    def stay_silent(self, stub: Any) -> Any:
        self.must_time_out = isinstance(stub, TimeOut)
        raise SuspendTask


_ACTS: dict[type, Callable[[Stand, Any], Any]] = {
    Fail: Stand.fail,
    TimeOut: Stand.stay_silent,
    Never: Stand.stay_silent,
}
