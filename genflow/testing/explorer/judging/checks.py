"""The user's own checks: their arguments, and the runs for which they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from attrs import asdict, fields, frozen

from genflow.core.payloads.hooks import decode
from genflow.testing.explorer.playing.calls import Call
from genflow.testing.explorer.playing.simulation import Simulation

__all__ = ['Check', 'Run', 'Verdict', 'check_function', 'summary']

UNNAMED = ('result', 'calls', 'run')
"""What the parameters of a check get whose names say nothing."""

OF_ALL_ENDS = frozenset({'run', 'status', 'failure'})
"""The parameters of checks that ask how an execution ended, and so are called however it did."""


@frozen
class Verdict:
    """What is wrong with a run.

    Attributes:
        judge: The name of the judge.
        text: A description of the fault.
    """

    judge: str
    text: str


@frozen(eq=False)
class Run:
    """A run that has ended, as checks see it.

    Attributes:
        status: ``completed``, ``failed``, ``canceled``, ``open`` or ``cut off``.
        result: Of a completed one.
        failure: The exception that left ``run``.
        calls: Every attempt that was scheduled: ``.name``, ``.args``, ``.kwargs``, ``.outcome``.
        arrived: By name, how many signals came.
        unread: By name, the number of unread signals when it closed.
        runs: How many runs the execution had: one, and one for each restart.
        warnings: The warnings of the engine.
    """

    status: str
    result: Any
    failure: BaseException | None
    calls: list[Call]
    arrived: Mapping[str, int]
    unread: Mapping[str, int]
    runs: int
    warnings: list[str]


def summary(run: Simulation) -> Run:
    """The run as checks see it."""
    closed = run.closed
    status = 'cut off' if run.cut else 'open' if closed is None else closed.how
    result = decode(closed.result) if closed is not None and closed.how == 'completed' and closed.result else None
    warnings = [*run.warnings, *run.live.warnings]
    return Run(status, result, run.failure, run.calls, run.arrived, run.unread, len(run.past) + 1, warnings)


def check_function(option: str, function: Any) -> None:
    """Checks that a function of the user can say that something is wrong.

    Raises:
        TypeError: It is no function, or its result is true whatever its code says.
    """
    if not callable(function):
        raise TypeError(f'{option}= takes a function, and was given {function!r}')
    called = function if inspect.isroutine(function) or isinstance(function, (type, partial)) else function.__call__
    for kind, is_kind in _ALWAYS_TRUE.items():
        if is_kind(called):
            raise TypeError(
                f'{option}= takes a function that returns true or false, and was given {kind}: {function!r}'
            )


_ALWAYS_TRUE: dict[str, Callable[[Any], bool]] = {
    'a class': lambda called: isinstance(called, type) and called.__module__ != 'builtins',
    'an async function': inspect.iscoroutinefunction,
    'a generator function': inspect.isgeneratorfunction,
    'an async generator function': inspect.isasyncgenfunction,
}
"""Callables whose results are objects, which are true."""


@frozen
class Check:
    """A check, and its arguments.

    Attributes:
        function: The user's function.
        positional: The names of the values that it gets by position.
        keywords: The names of those that it gets by name.
    """

    function: Callable[..., Any]
    positional: tuple[str, ...]
    keywords: tuple[str, ...] = ()

    @classmethod
    def of(cls, function: Any) -> Check:
        """The check of a function.

        Raises:
            TypeError: It is no function that can say so, or has a parameter for which there is no value.
        """
        check_function('check', function)
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except ValueError:  # some builtin functions do not say what they take
            return cls(function, UNNAMED[:1])
        positional: list[str] = []
        keywords: list[str] = []
        unnamed = iter(UNNAMED)
        for parameter in parameters:
            name = parameter.name
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            if name not in VALUES:
                if parameter.default is not parameter.empty:
                    continue
                meant = None if parameter.kind is parameter.KEYWORD_ONLY else next(unnamed, None)
                if meant is None:
                    raise TypeError(
                        f'the check has a parameter {name!r}, for which there is no value; there are '
                        f'{", ".join(VALUES)}'
                    )
                name = meant
            (keywords if parameter.kind is parameter.KEYWORD_ONLY else positional).append(name)
        return cls(function, tuple(positional), tuple(keywords))

    @property
    def sees_calls(self) -> bool:
        """Whether it gets the calls, and so may see the order in which they were made."""
        return bool({'calls', 'run'} & {*self.positional, *self.keywords})

    def is_invariant(self) -> bool:
        """Whether it has no parameters, so that it checks the state of models, and is true before the first run."""
        if self.positional or self.keywords:
            return False
        try:
            answer = self.function()
        except Exception:  # noqa: BLE001 - such as a lookup of what a run makes
            return False
        return answer is None or bool(answer)

    def objection(self, run: Simulation, *, is_invariant: bool) -> str | None:
        """What is wrong with a run that has ended; ``None`` if the check passes or is not for such runs."""
        found = summary(run)
        of_all_ends = is_invariant or bool(OF_ALL_ENDS & {*self.positional, *self.keywords})
        if found.status != 'completed' and not of_all_ends:
            return None
        values = {'run': found, **asdict(found, recurse=False)}
        try:
            answer = self.function(
                *[values[name] for name in self.positional], **{name: values[name] for name in self.keywords}
            )
        except Exception as error:  # noqa: BLE001 - what else it raises shows an order that it does not know either
            return f'the check fails: {error!r} (result {found.result!r})'
        return None if answer is None or answer else f'the check is false for the result {found.result!r}'


VALUES = (*(one.name for one in fields(Run)), 'run')
"""The names of parameters that a check may have."""
