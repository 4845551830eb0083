"""The findings of an exploration, as text and as code for a test."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, frozen

from genflow.core.text import counted
from genflow.testing.explorer.judging.checks import Verdict

if TYPE_CHECKING:
    from genflow.testing.histories.history import History

__all__ = ['ExplorationFailed', 'Finding', 'Report']

MAX_SHOWN = 3


@frozen
class Finding:
    """An order in which something is wrong, as small as it could be made.

    Attributes:
        verdict: The judge that objects, and its text.
        story: What happens, step by step, with file and line of each branch.
        schedule: The id that replays it.
        history: The history, for a test; ``None`` if SWF could not record it.
        code: The history as code.
        events: How many events it has.
        found_after: Number of runs until it was found.
    """

    verdict: Verdict
    story: str
    schedule: str
    history: History | None
    code: str
    events: int
    found_after: int

    def __str__(self) -> str:
        return f'{self.verdict.judge}: {self.verdict.text}\n\n{self.story}\n\nPlay it again: --schedule {self.schedule}'


class ExplorationFailed(AssertionError):
    """There is an order of events in which the workflow goes wrong.

    Attributes:
        finding: What is wrong.
        story: What happens, step by step.
        schedule: The id that replays it.
        history: The history, for a test.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding
        self.story = finding.story
        self.schedule = finding.schedule
        self.history = finding.history


@define
class Report:
    """The orders that were tried, and the finding.

    Attributes:
        name: Of the workflow.
        finding: The finding; ``None`` if no check failed.
        complete: For each number of faults for which every order was tried, the number of orders.
        merged: By the same numbers, how many of those orders were not run because they are equivalent to others: they
            lead to a known state, or the code cannot observe the difference.
        partial: The number of faults for which not every order was tried; ``None`` where there is none.
        depth: For that number of faults, every order with fewer deviations than this was tried.
        stages: For that number of faults, the runs of each stage in their order: ``search``, ``priorities``, ``walks``.
        runs: Executions, without those in other processes.
        elsewhere: Executions by chance in other processes, as far as they have ended.
        seconds: Time taken.
        results: The results of orders without faults; more than one means that the result depends on the order.
        endings: How executions closed.
        warnings: The warnings of the engine, with their counts.
        unread: By name of a signal, the number of orders that closed with one unread.
        waiting: By name of a signal, how many orders without faults wait for one more than the first order needed.
        first_failure: The failure of the first order, if it fails.
        interrupted: Whether it was ended by Ctrl-C, so that not all of this was tried.
        bound: The probability with which the runs with random priorities find a bug of depth three.
    """

    name: str
    finding: Finding | None = None
    complete: dict[int, int] = Factory(dict)
    merged: dict[int, int] = Factory(dict)
    partial: int | None = None
    depth: int = 0
    stages: dict[str, int] = Factory(dict)
    runs: int = 0
    elsewhere: int = 0
    seconds: float = 0.0
    results: Counter[str] = Factory(Counter)
    endings: Counter[str] = Factory(Counter)
    warnings: Counter[str] = Factory(Counter)
    unread: Counter[str] = Factory(Counter)
    waiting: Counter[str] = Factory(Counter)
    first_failure: str = ''
    bound: str = ''
    interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything held."""
        return self.finding is None

    def to_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        found = self.finding
        return {
            'workflow': self.name,
            'ok': self.ok,
            'complete': {str(faults): orders for faults, orders in self.complete.items()},
            'merged': {str(faults): orders for faults, orders in self.merged.items()},
            'stages': dict(self.stages),
            'runs': self.runs,
            'elsewhere': self.elsewhere,
            'interrupted': self.interrupted,
            'seconds': round(self.seconds, 3),
            'results': dict(self.results),
            'endings': dict(self.endings),
            'warnings': dict(self.warnings),
            'waiting': dict(self.waiting),
            'first_failure': self.first_failure,
            'finding': None
            if found is None
            else {
                'judge': found.verdict.judge,
                'text': found.verdict.text,
                'story': found.story,
                'schedule': found.schedule,
                'code': found.code,
            },
        }

    def _complete_line(self, faults: int, orders: int) -> str:
        what = 'without faults' if not faults else f'with at most {counted(faults, "fault")}'
        if orders == 1:
            return f'the only order {what} {"holds" if self.ok else "was tried"}'
        merged = self.merged.get(faults, 0)
        equal = f', {merged:,} of them equal to others and not played' if merged else ''
        return f'all {orders:,} orders {what} {"hold" if self.ok else "were tried"}{equal}'

    def __str__(self) -> str:
        lines = [] if self.finding is None else [str(self.finding), '']
        if self.interrupted:
            lines.append('interrupted: not all orders were tried')
        lines += [self._complete_line(faults, orders) for faults, orders in self.complete.items()]
        if self.partial is not None:
            faults = 'without faults' if not self.partial else f'with at most {counted(self.partial, "fault")}'
            lines.append(
                f'{faults} not every order was tried: those with fewer than '
                f'{counted(self.depth, "deviation")} from first in first out were'
            )
        if self.bound:
            lines.append(f'{self.bound}; random walks: {self.stages.get("walks", 0):,}')
        if self.first_failure:
            lines.append(
                f'note: the first order already fails with {self.first_failure}; what comes after that was not tried. '
                'Where an activity has to return something else, give a stub'
            )
        if len(self.results) > 1:
            shown = ', '.join(list(self.results)[:MAX_SHOWN])
            lines.append(f'note: the result depends on the order: {len(self.results)} results, such as {shown}')
        lines += [
            f'note: {counted(count, "order")} closed with a signal {name!r} that nobody had read'
            for name, count in self.unread.items()
        ]
        lines += [
            f'note: {counted(count, "order")} without faults {"waits" if count == 1 else "wait"} for ever for one more '
            f'signal {name!r} than the first order needed'
            for name, count in self.waiting.items()
        ]
        lines += [
            f'note: reported {counted(count, "time")}: {text}' for text, count in self.warnings.most_common(MAX_SHOWN)
        ]
        elsewhere = f', and {self.elsewhere:,} by chance in other processes' if self.elsewhere else ''
        lines.append(f'{counted(self.runs, "run")} of {self.name} in {self.seconds:.2f} s{elsewhere}')
        return '\n'.join(lines)
