"""Records for sagas: when each compensation was added, and when it ran."""

from __future__ import annotations

import dis
import sys
from collections import Counter
from types import FrameType
from typing import Any

from attrs import define, field

from genflow.core.tasks.saga import Saga

__all__ = ['SagaLog', 'Undo']


@define(eq=False)
class Undo:
    """One compensation of a saga.

    Attributes:
        what: Its function and arguments, as text.
        name: Of its function, or of the type that it calls.
        is_call: Whether its function is a proxy, so that what it does is one call.
        place: Which one of its saga it is, and which saga of the run that is.
        saga_at: How much work (activities, children, Lambda functions) had been asked for when the saga began, or the
            compensation before it was added.
        work_at: How much work had been asked for when it was added.
        is_followed: Whether the branch of the saga asked for work after it was added, and before the code of the saga
            added another one, undid its steps or returned: its step, as a rule.
        work_undoing: The same as ``work_at`` when it began to run; ``None`` while it has not.
        first: The number of the last call before it ran.
        last: The number of the last call until it had ended; ``None`` while it runs.
    """

    what: str
    name: str
    is_call: bool
    place: tuple[int, int]
    saga_at: int
    work_at: int
    is_followed: bool = False
    work_undoing: int | None = None
    first: int = 0
    last: int | None = None

    @property
    def work_before(self) -> int:
        return self.work_at - self.saga_at

    @property
    def has_run(self) -> bool:
        return self.work_undoing is not None

    def made(self, number: int) -> bool:
        """Whether a call was made while it ran."""
        return self.has_run and number > self.first and (self.last is None or number <= self.last)


@define(eq=False)
class SagaLog:
    """The sagas of one run.

    Attributes:
        sagas: Each with the frame of the code that made it, and its branch.
        undos: Their compensations, in the order in which they were added.
        work: The names of the work that the code has asked for.
        errors: What compensations raised.
    """

    sagas: list[tuple[Saga, FrameType, Any]] = field(factory=list)
    undos: list[Undo] = field(factory=list)
    work: list[str] = field(factory=list)
    errors: list[BaseException] = field(factory=list)
    _added: dict[int, list[tuple[Any, Undo]]] = field(factory=dict)
    _work_before: dict[int, int] = field(factory=dict)

    def note_work(self, name: str, branch: Any) -> None:
        """Notes work that a branch asks for."""
        self.work.append(name)
        for saga, frame, own_branch in self.sagas:
            added = self._added[id(saga)]
            if added and branch is own_branch and not added[-1][1].has_run and not _has_returned(frame):
                added[-1][1].is_followed = True

    def note(self, saga: Saga, change: str, step: Any, count: int, branch: Any) -> None:
        """Notes a change of a saga; ``count`` is the number of calls so far."""
        key, work = id(saga), len(self.work)
        if change == 'begun':
            self.sagas.append((saga, sys._getframe(3), branch))
            self._added[key], self._work_before[key] = [], work
        elif change == 'added' and key in self._added:
            place = (list(self._added).index(key), len(self._added[key]))
            is_call = hasattr(step[0], 'proxy')
            undo = Undo(_text(step), _name(step), is_call, place, self._work_before[key], work)
            self._work_before[key] = work
            self._added[key].append((step, undo))
            self.undos.append(undo)
        elif change == 'failed':
            self.errors.append(step)
        else:
            for known, undo in self._added.get(key, ()):
                if known is step and change == 'undoing':
                    undo.work_undoing, undo.first = work, count
                elif known is step:
                    undo.last = count

    def counts(self) -> Counter[str]:
        """How often each compensation was added."""
        return Counter(undo.what for undo in self.undos)

    @property
    def has_undone(self) -> bool:
        """Whether any compensation ran, so that not all of the work was steps."""
        return any(undo.has_run for undo in self.undos)

    def left(self) -> int:
        """How many compensations wait in sagas whose code has not returned: one that has returned has succeeded."""
        return next((saga.remaining for saga, frame, _ in self.sagas if saga.remaining and not _has_returned(frame)), 0)

    def share_a_step(self, undos: list[Undo]) -> bool:
        """Whether the same compensations were added for steps that are not the same.

        The step of a compensation is what is called directly after it was added, or directly before.
        """
        after = [self._following(undo) for undo in undos]
        before = [self.work[undo.work_at - 1] if undo.work_before else '' for undo in undos]
        return not any(len(set(names)) == 1 and names[0] for names in (after, before))

    def _following(self, undo: Undo) -> str:
        saga, place = undo.place
        later = next((other for other in self.undos if other.place == (saga, place + 1)), None)
        end = len(self.work) if later is None else later.work_at
        return self.work[undo.work_at] if undo.work_at < end else ''


def _has_returned(frame: FrameType) -> bool:
    """Whether the code of a frame has ended with a return, and not with an exception."""
    code = frame.f_code.co_code
    return 0 <= frame.f_lasti < len(code) and dis.opname[code[frame.f_lasti]].startswith('RETURN_')


def _text(step: Any) -> str:
    _, args, kwargs = step
    words = [*map(repr, args), *(f'{key}={value!r}' for key, value in kwargs.items())]
    return f'{_name(step)}({", ".join(words)})'


def _name(step: Any) -> str:
    function = step[0]
    proxy = getattr(function, 'proxy', None)
    return proxy.name if proxy is not None else getattr(function, '__qualname__', None) or repr(function)
