"""What an exploration found, for people and for the next test."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from attrs import Factory, define, frozen

from genflow.testing.explorer.judges import Verdict

if TYPE_CHECKING:
    from genflow.testing.histories.history import History

__all__ = ['ExplorationFailed', 'Finding', 'Report']

MAX_SHOWN = 3


@frozen
class Finding:
    """An order in which something is wrong, as small as it could be made.

    Attributes:
        verdict: Which judge objects, and to what.
        story: What happens, step by step, with file and line of each branch.
        schedule: The id that plays it again.
        history: The history of it, to be pasted into a test; ``None`` where SWF's own rules leave no such history.
        code: The history as code.
        events: How many events it has.
        found_after: Executions until it was found.
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
        schedule: The id that plays it again.
        history: The history, to be pasted into a test.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding
        self.story = finding.story
        self.schedule = finding.schedule
        self.history = finding.history


@define
class Report:
    """What was tried, and what was found.

    Attributes:
        name: Of the workflow.
        finding: What is wrong; ``None`` where everything held.
        complete: The numbers of faults for which every order was tried, each with its orders.
        merged: By the same numbers, how many of those orders were not played, since they are equal to others: they lead
            to a state that was known, or differ only where the code does not see it.
        partial: The number of faults for which not every order was tried; ``None`` where there is none.
        depth: There, every order with fewer deviations than this was tried.
        runs: Executions.
        seconds: Time taken.
        results: The results of orders without faults; more than one means that the result depends on the order.
        endings: How executions closed.
        warnings: What the engine reported, with how often.
        unread: By name of a signal, how many orders closed without having read one.
        first_failure: What the first order already fails with.
        bound: What chance gives a bug of depth three in the runs with random priorities.
    """

    name: str
    finding: Finding | None = None
    complete: dict[int, int] = Factory(dict)
    merged: dict[int, int] = Factory(dict)
    partial: int | None = None
    depth: int = 0
    runs: int = 0
    seconds: float = 0.0
    results: Counter[str] = Factory(Counter)
    endings: Counter[str] = Factory(Counter)
    warnings: Counter[str] = Factory(Counter)
    unread: Counter[str] = Factory(Counter)
    first_failure: str = ''
    bound: str = ''

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
            'runs': self.runs,
            'seconds': round(self.seconds, 3),
            'results': dict(self.results),
            'endings': dict(self.endings),
            'warnings': dict(self.warnings),
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
        what = 'without faults' if not faults else f'with at most {_count(faults, "fault")}'
        merged = self.merged.get(faults, 0)
        equal = f', {merged:,} of them equal to others and not played' if merged else ''
        return f'all {orders:,} orders {what} {"hold" if self.ok else "were tried"}{equal}'

    def __str__(self) -> str:
        lines = [] if self.finding is None else [str(self.finding), '']
        lines += [self._complete_line(faults, orders) for faults, orders in self.complete.items()]
        if self.partial is not None:
            faults = 'without faults' if not self.partial else f'with at most {_count(self.partial, "fault")}'
            lines.append(
                f'{faults} not every order was tried: those with fewer than {self.depth} deviations from first in '
                f'first out were{self.bound}'
            )
        if self.first_failure:
            lines.append(
                f'note: the first order already fails with {self.first_failure}; what comes after that was not tried. '
                'Where an activity has to return something else, give a stub'
            )
        if len(self.results) > 1:
            shown = ', '.join(list(self.results)[:MAX_SHOWN])
            lines.append(f'note: the result depends on the order: {len(self.results)} results, such as {shown}')
        lines += [
            f'note: {_count(count, "order")} closed with a signal {name!r} that nobody had read'
            for name, count in self.unread.items()
        ]
        lines += [
            f'note: reported {_count(count, "time")}: {text}' for text, count in self.warnings.most_common(MAX_SHOWN)
        ]
        lines.append(f'{self.runs:,} runs of {self.name} in {self.seconds:.2f} s')
        return '\n'.join(lines)


def _count(number: int, word: str) -> str:
    return f'{number} {word}' if number == 1 else f'{number} {word}s'
