"""``explore``: tries the orders in which events can reach a workflow, within a budget, and checks each one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any, Literal

from attrs import define, evolve, field

from genflow.core.authoring.updates import updates_of
from genflow.core.authoring.workflow import Workflow
from genflow.core.model.registry import WorkflowSpec
from genflow.steady_time import monotonic
from genflow.testing.explorer.inputs.arrivals import own_updates, signal_variants
from genflow.testing.explorer.inputs.keywords import Named
from genflow.testing.explorer.inputs.memory import Memory
from genflow.testing.explorer.inputs.setup import Setup
from genflow.testing.explorer.judging.baseline import Baseline
from genflow.testing.explorer.judging.cancellation import is_like, may_be_swallowed, swallowed_like
from genflow.testing.explorer.judging.checks import Check, Verdict, check_function
from genflow.testing.explorer.judging.judges import JUDGES, judged
from genflow.testing.explorer.playing.choices import CANCEL
from genflow.testing.explorer.playing.demand import Needed
from genflow.testing.explorer.playing.schedules import labels_of, play_labels, read_schedule, schedule_id
from genflow.testing.explorer.playing.simulation import Simulation
from genflow.testing.explorer.reporting.report import ExplorationFailed, Finding, Report
from genflow.testing.explorer.reporting.shrinking import shrunk
from genflow.testing.explorer.reporting.story import history_code, story_text
from genflow.testing.explorer.searching.budget import Budget
from genflow.testing.explorer.searching.chance import Chance
from genflow.testing.explorer.searching.search import Search
from genflow.testing.explorer.settings import BUDGET, MAX_FAULTS
from genflow.testing.tester.doubles import Doubles

__all__ = ['BY_CHANCE', 'Exploration', 'Part', 'explore']

Part = Literal['all', 'search', 'chance']
"""What a process does of an exploration."""

BY_CHANCE = 0.4
"""The share of the budget that is reserved for random orders, unless the search seems to fit without it."""


def explore(
    workflow: type[Workflow] | WorkflowSpec,
    /,
    *args: Any,
    check: Callable[..., Any] | None = None,
    always: Callable[[Any], Any] | None = None,
    signals: Mapping[Any, Any] | None = None,
    stubs: Mapping[Any, Any] | None = None,
    faults: int = MAX_FAULTS,
    budget: int = BUDGET,
    seconds: float | None = None,
    seed: int = 0,
    schedule: str | None = None,
    without: Collection[str] = (),
    kwargs: Mapping[str, Any] | None = None,
    **by_attribute: Any,
) -> Report:
    """Tries the orders in which events can reach a workflow, and checks each of them.

    Activities, children and Lambda functions without a stub succeed with ``None``, fail and time out. If the stub is a
    function or method, it is a model: it is called, and its result arrives or is lost to a time-out. The state of such
    stubs (the object of a bound method; lists, dicts and sets of a closure or of their module) is reset before each run
    and at the end.

    Args:
        workflow: The class, decorated or not.
        *args: Of its ``run``.
        check: Called at the end of each run; raises, or returns a false value, if something is wrong. Its parameters
            are filled by name: ``result``, ``calls``, ``status``, ``failure``, ``arrived``, ``unread``, ``runs``,
            ``warnings`` or ``run`` for all of it; other names get the result, then the calls. Unless it has the
            parameter ``run``, ``status`` or ``failure``, it is called for completed executions only. A check without
            parameters, such as one of the state of a model, that is true before the first run is an invariant: it is
            called however an execution ends.
        always: Called with the workflow object after every decision; it may call ``@query`` methods.
        signals: The signals to send: by attribute, signal or name, a list of values, each sent once. Default: as many
            ``None`` as the first order needs.
        stubs: Replacements for the calls of the workflow, as for :class:`~genflow.testing.Tester`.
        faults: The most faults within one run: failures, time-outs, a cancellation, an eviction, a lost decision,
            events that arrive while a decision is made. 0 tries orders only.
        budget: The most runs.
        seconds: The most seconds, if that is less.
        seed: The seed of the random orders.
        schedule: Replays only this schedule.
        without: Names of judges to skip.
        kwargs: Keyword arguments of ``run``.
        **by_attribute: Stubs, by the attributes of their proxies; values of signals, by their attributes; updates, by
            the names of their methods, as a list of calls (a tuple of arguments, or the only argument). Other names are
            keyword arguments of ``run``. Updates without required arguments are sent automatically, as one fault.

    Returns:
        A report on the orders that were tried.

    Raises:
        ExplorationFailed: The workflow fails a check in some order; the error has the smallest such story that was
            found.
        ValueError: There is no such judge, or the schedule cannot be read.
    """
    __tracebackhide__ = True
    _check_limits(faults, budget, seconds)
    without = [without] if isinstance(without, str) else without
    unknown = sorted(set(without) - {*JUDGES, 'check'})
    if unknown:
        raise ValueError(f'there is no judge {unknown[0]!r}; there are {", ".join(JUDGES)}')
    named = Named.of(workflow, by_attribute)
    sent = {**(signals or {}), **named.signals}
    exploration = Exploration.of(
        workflow,
        args,
        {**named.arguments, **(kwargs or {})},
        {**(stubs or {}), **named.stubs},
        signals=sent if sent or signals is not None else None,
        updates=named.updates,
        check=check,
        always=always,
        without=frozenset(without),
    )
    try:
        if schedule is not None:
            report = exploration.play(schedule)
        else:
            limit = None if seconds is None else monotonic() + seconds
            report = exploration.run(Budget(budget, limit), faults, seed)
    finally:
        exploration.memory.restore()
    if report.finding is not None:
        raise ExplorationFailed(report.finding)
    return report


@define(eq=False)
class Exploration:
    """One exploration: the data that its runs share, and its findings so far."""

    setup: Setup
    memory: Memory
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    check: Check | None
    without: frozenset[str]
    report: Report
    first: Baseline = field(factory=Baseline)
    tick: Callable[[], None] | None = None
    _failed: tuple[Verdict, list[str]] | None = None
    _budget: Budget = field(factory=lambda: Budget(0))
    _begun: float = 0.0

    @classmethod
    def of(
        cls,
        workflow: type[Workflow] | WorkflowSpec,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        stubs: Mapping[Any, Any],
        *,
        signals: Mapping[Any, Any] | None = None,
        updates: Mapping[str, Any] | None = None,
        check: Callable[..., Any] | None = None,
        always: Callable[[Any], Any] | None = None,
        without: frozenset[str] = frozenset(),
    ) -> Exploration:
        """An exploration that has tried nothing yet.

        Raises:
            TesterError: A stub is for something that nothing calls.
            TypeError: The arguments do not fit ``run``.
        """
        own_check = None if check is None else Check.of(check)
        if always is not None:
            check_function('always', always)
        setup = Setup.of(
            Doubles.of(workflow, stubs),
            args,
            kwargs,
            signals=signals,
            updates=updates,
            always=always,
            minds_calls=own_check is not None and own_check.sees_calls,
        )
        memory = Memory.of([*stubs.values(), *(given for given in (check, always) if given is not None)], setup.shared)
        is_invariant = own_check is not None and own_check.is_invariant()
        memory.restore()
        exploration = cls(
            setup,
            memory,
            args,
            kwargs,
            own_check,
            without,
            Report(setup.spec.name),
            Baseline(is_invariant=is_invariant),
        )
        with _muted():
            exploration._begin()
        return exploration

    # the first run

    def _begin(self) -> None:
        """Finds out which signals the workflow needs, and what its first order shows."""
        if not self.setup.says_signals:
            self._find_signals()
        calm = evolve(self.setup, faults=False, extra={}, variants={}, notes_places=True)
        run = play_labels(calm, self.memory, (), 0)
        self.first = Baseline.of(run, is_invariant=self.first.is_invariant)
        self.report.first_failure = self.first.failure(run)
        if self.first.completes:
            known_updates = frozenset(updates_of(self.setup.spec.cls))
            self.setup = evolve(self.setup, judged_updates=known_updates - run.failed_updates)
        run.close()

    def _find_signals(self) -> None:
        """Has the signals sent that the workflow needs, and beyond them others that its class allows."""
        cls = self.setup.spec.cls
        variants = signal_variants(cls)
        needed = Needed({name: texts[0] for name, texts in variants.items()})
        needed.find(evolve(self.setup, faults=False), self.memory)
        self.setup = evolve(
            self.setup,
            signals={**self.setup.signals, **needed.supply},
            variants={name: texts[1:] for name, texts in variants.items() if texts[1:]},
            says_signals=needed.is_deadlocked,
            extra={**needed.inputs, **own_updates(cls)},
        )

    # searching

    def run(self, budget: Budget, faults: int, seed: int | str, *, part: Part = 'all') -> Report:
        """Tries orders with no fault, then with one, and so on, until the budget is used up or something is wrong.

        Args:
            budget: The limits of a search.
            faults: The largest number of faults in one run.
            seed: The seed of the random orders.
            part: ``search`` leaves the random orders to other processes, which try these alone, by ``chance``.
        """
        self._begun = monotonic()
        self._budget = budget
        report = self.report
        with _muted():
            self._search(budget, faults, seed, part)
            if self._failed is not None:
                report.finding = self._found(*self._failed, budget.used)
        report.runs = budget.used
        report.seconds = monotonic() - self._begun
        return report

    def until_now(self) -> Report:
        """The report when :meth:`run` was interrupted; a failing order is not made smaller."""
        report = self.report
        report.interrupted = True
        report.runs = self._budget.used
        report.seconds = monotonic() - self._begun
        if report.finding is None and self._failed is not None:
            with _muted():
                report.finding = self._finding_of(*self._failed, report.runs)
        return report

    def _search(self, budget: Budget, faults: int, seed: int | str, part: Part) -> None:
        if part == 'chance':
            self._by_chance(self.setup, faults, budget, seed)
            return
        for allowed in range(faults + 1):
            setup = self.setup if allowed else evolve(self.setup, faults=False, extra={}, variants={})
            if not self._level(setup, allowed, budget, seed, part):
                break

    def _level(self, setup: Setup, allowed: int, budget: Budget, seed: int | str, part: Part) -> bool:
        """Tries the orders with so many faults; whether all of them were tried and held."""
        search = Search(setup, self.memory, allowed)
        share = budget.share(1 - BY_CHANCE)
        goes_on = search.run(share, self._judge)
        if search.complete:
            orders = search.orders()
            self.report.complete[allowed] = orders
            self.report.merged[allowed] = orders - search.played
        elif goes_on:
            self.report.partial, self.report.depth = allowed, search.depth
            self.report.stages['search'] = share.used
            if part == 'all':
                self._by_chance(setup, allowed, budget, seed)
        return goes_on and search.complete

    def _by_chance(self, setup: Setup, allowed: int, budget: Budget, seed: int | str) -> None:
        """Spends the rest of the budget: one half on runs with random priorities, then the other on random walks."""
        chance = Chance(setup, self.memory, allowed, Random(f'{seed}'))
        half, stages = budget.share(0.5), self.report.stages
        goes_on = self._all_hold(chance.with_priorities(half))
        stages['priorities'], before = half.used, budget.used
        self.report.bound = chance.bound()
        if goes_on:
            self._all_hold(chance.walks(budget))
            stages['walks'] = budget.used - before

    def _all_hold(self, runs: Iterator[Simulation]) -> bool:
        for run in runs:
            goes_on = self._judge(run)
            run.close()
            if not goes_on:
                return False
        return True

    def _judge(self, run: Simulation) -> bool:
        if self.tick is not None:
            self.tick()
        verdict = self._verdict(run)
        report = self.report
        found = run.closed.how if run.closed is not None else 'open'
        report.endings[found] += 1
        report.warnings.update({*run.warnings, *run.live.warnings})
        report.unread.update(run.unread.keys() if run.closed is not None else ())
        if not run.spent and found == 'completed' and run.closed is not None:
            report.results[str(run.closed.result)] += 1
        if not run.spent and found == 'open' and self.first.completes:
            boxes = run.live.mailboxes
            report.waiting.update(name for name, box in boxes.items() if box.is_awaited() and not run.open)
        if verdict is None:
            return True
        self._failed = (verdict, labels_of(run))
        return False

    def _verdict(self, run: Simulation) -> Verdict | None:
        verdict = judged(run, self.first, self.without, self.check)
        if verdict is None and 'cancel' not in self.without and may_be_swallowed(run, self.first):
            verdict = self._swallowed(run)
        return verdict

    def _swallowed(self, run: Simulation) -> Verdict | None:
        """Compares a canceled run that completed with those in which a call that was open then fails instead."""
        labels = labels_of(run)
        place = labels.index(CANCEL.label) if CANCEL.label in labels else None
        if place is None:
            return None
        for name in run.open_at_cancel:
            for outcome in ('failed', 'timed out'):
                later = [label for label in labels[place + 1 :] if not label.startswith(f'end {name} ')]
                other = play_labels(self.setup, self.memory, [*labels[:place], f'end {name} {outcome}', *later])
                other.close()
                if is_like(run, other):
                    return Verdict('cancel', swallowed_like(run, name, outcome))
        return None

    # results

    def play(self, schedule: str) -> Report:
        """Plays one schedule and judges it."""
        labels = read_schedule(schedule)
        with _muted():
            run = play_labels(self.setup, self.memory, labels)
            verdict = self._verdict(run)
            run.close()
            self.report.runs = 1
            if verdict is not None:
                self.report.finding = self._finding_of(verdict, labels, 1)
        return self.report

    def _found(self, verdict: Verdict, labels: list[str], after: int) -> Finding:
        def attempt(candidate: Any) -> Simulation | None:
            run = play_labels(self.setup, self.memory, candidate)
            again = self._verdict(run)
            run.close()
            return run if again is not None and again.judge == verdict.judge else None

        return self._finding_of(verdict, shrunk(labels, attempt), after)

    def _finding_of(self, verdict: Verdict, labels: list[str], after: int) -> Finding:
        run = play_labels(self.setup, self.memory, labels)
        verdict = self._verdict(run) or verdict
        run.close()
        story = story_text(self.setup, self.memory, run.steps)
        self.memory.restore()
        history, code = history_code(self.setup, self.args, self.kwargs, run)
        return Finding(verdict, story, schedule_id(labels), history, code, run.total, after)


def _check_limits(faults: int, budget: int, seconds: float | None) -> None:
    for name, value, least in (('faults', faults, 0), ('budget', budget, 1), ('seconds', seconds or 0, 0)):
        if value < least:
            raise ValueError(f'{name}= is {value}; it must be {least} or more')


@contextmanager
def _muted() -> Iterator[None]:
    """Keeps the workflow's own logger silent: thousands of runs would log the same."""
    logger = logging.getLogger('genflow.workflow')
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
