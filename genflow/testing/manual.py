"""Drives a workflow by hand: a workflow object whose time, random numbers and patches a test sets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timezone
from typing import Any, TypeVar

from genflow.core.authoring.workflow import Workflow, bind
from genflow.core.model.info import Info
from genflow.core.tasks.loop import DescribingLoop

__all__ = ['by_hand']

W = TypeVar('W', bound=Workflow)

NOW = datetime(2000, 1, 1, tzinfo=timezone.utc)


def by_hand(
    workflow: type[W],
    *,
    now: datetime = NOW,
    seed: Any = 0,
    patched: bool | Collection[str] | Callable[[str], bool] = True,
    info: Info | None = None,
) -> W:
    """Makes a workflow object without an engine. Its calls return descriptions, which equal tasks of the same call.

    ``run = by_hand(Order, now=…).run(1)`` is then driven with ``next``, ``send`` and ``throw``.

    Args:
        workflow: The class; it need not be decorated.
        now: The value of ``self.now()``, with a time zone.
        seed: Of ``self.random`` and ``self.uuid4()``.
        patched: The value of ``self.patched(change)``: a bool for all changes, the ids of the changes that are
            present, or a function of the id.
        info: The value of ``self.info``.

    Raises:
        ValueError: ``now`` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError(f'now is {now!r}, which has no time zone; workflow time is aware: add tzinfo=timezone.utc')
    made = workflow()
    bind(made, DescribingLoop(now.astimezone(timezone.utc), seed, _answers(patched), info))
    return made


def _answers(patched: bool | Collection[str] | Callable[[str], bool]) -> Callable[[str], bool] | bool:
    if isinstance(patched, str):
        raise TypeError(f'patched is {patched!r}; give the ids of several changes as a set: {{{patched!r}}}')
    if isinstance(patched, bool) or callable(patched):
        return patched
    return frozenset(patched).__contains__
