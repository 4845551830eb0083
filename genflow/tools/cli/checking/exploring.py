"""Carries out ``genflow explore``, in one process or in several."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager, redirect_stdout
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import click
from attrs import define, evolve, field, frozen

from genflow.insight import ExecutionView
from genflow.testing.explorer import Finding, Report
from genflow.testing.explorer.exploration import BY_CHANCE, Exploration, Part
from genflow.testing.explorer.searching.budget import Budget
from genflow.testing.tester.stubs import TesterError
from genflow.tools.cli.exits import Exit, Refused
from genflow.tools.cli.inputs import inputs
from genflow.tools.cli.streams import write_file
from genflow.tools.pictures.svg import svg as draw_svg
from genflow.tools.pictures.tree import picture_of
from genflow.tools.targets.arguments import WrongArgument, named_values
from genflow.tools.targets.functions import function_of
from genflow.tools.targets.target import TargetError, load

__all__ = ['explore']

BEGINNING = 500
"""The run of the search with which the other processes begin: what takes no longer is done before they are there."""

SMALL = 2 * BEGINNING
"""The smallest budget, in runs, for which there are other processes."""


@frozen
class Asked:
    """The exploration that each process carries out; it is sent to other processes unchanged."""

    target: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    signals: Mapping[str, Any] | None
    stubs: Mapping[str, Any]
    check: str | None
    always: str | None
    without: frozenset[str]
    faults: int
    budget: int
    seconds: float | None
    seed: int | str
    part: Part = 'all'


def explore(
    ctx: click.Context,
    *,
    target: str,
    arguments: tuple[str, ...],
    keywords: tuple[str, ...],
    stubs: tuple[str, ...],
    signals: tuple[str, ...],
    check: str | None,
    always: str | None,
    faults: int,
    budget: int,
    seconds: float | None,
    seed: int,
    jobs: int,
    without: tuple[str, ...],
    schedule: str | None,
    svg: str | None,
    as_json: bool,
) -> None:
    """Carry out ``genflow explore``."""
    try:
        given, named = inputs(arguments, keywords)
        sent = named_values(signals) if signals else None
        settings = Asked(
            target,
            tuple(given),
            named,
            sent,
            named_values(stubs),
            check,
            always,
            frozenset(without),
            faults,
            budget,
            seconds,
            seed,
        )
        with redirect_stdout(sys.stderr):
            report = _again(settings, schedule) if schedule is not None else _explored(settings, jobs)
            if svg is not None and report.finding is not None:
                _draw(settings, report.finding, svg)
    except (TargetError, TesterError, WrongArgument, TypeError, ValueError) as error:
        raise Refused(str(error)) from error
    click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2) if as_json else str(report))
    ctx.exit(Exit.FOUND if not report.ok else Exit.INTERRUPTED if report.interrupted else Exit.COMPLETED)


def _exploration(asked: Asked) -> Exploration:
    return Exploration.of(
        load(asked.target),
        asked.arguments,
        dict(asked.keywords),
        asked.stubs,
        signals=asked.signals,
        check=function_of(asked.check),
        always=function_of(asked.always),
        without=asked.without,
    )


def _again(asked: Asked, schedule: str) -> Report:
    return _exploration(asked).play(schedule)


def _draw(asked: Asked, finding: Finding, path: str) -> None:
    """Draws the last run of a story; if another process found it, it is replayed first."""
    again = finding if finding.history is not None else _again(asked, finding.schedule).finding
    history = None if again is None else again.history
    if history is None:
        click.echo('no picture: SWF itself would not write this history', err=True)
        return
    view = ExecutionView(str(history.workflow_id), str(history.run_id)).apply_all(history.events)
    write_file(path, [draw_svg(picture_of(view, history.events[-1]['eventTimestamp']))])


def _explored(asked: Asked, jobs: int) -> Report:
    with _unheard():
        return _alone(asked) if jobs == 1 or asked.budget < SMALL else _together(asked, jobs)


@contextmanager
def _unheard() -> Iterator[None]:
    """Drops what the workflow prints, the same in thousands of runs; a schedule that is replayed shows it."""
    with Path(os.devnull).open('w', encoding='utf-8') as nowhere, redirect_stdout(nowhere):
        yield


def _alone(asked: Asked) -> Report:
    exploration = _exploration(asked)
    if not sys.stderr.isatty():
        return _run(exploration, asked, None)
    with click.progressbar(length=asked.budget, label='exploring', file=sys.stderr) as bar:
        return _run(exploration, asked, lambda: bar.update(1))


def _run(exploration: Exploration, asked: Asked, tick: Callable[[], None] | None) -> Report:
    exploration.tick = tick
    until = None if asked.seconds is None else time.monotonic() + asked.seconds
    try:
        return exploration.run(Budget(asked.budget, until), asked.faults, asked.seed, part=asked.part)
    except KeyboardInterrupt:
        return exploration.until_now()


def _in_process(asked: Asked) -> Report:
    def tick() -> None:
        if _IS_OVER[0].is_set():
            raise KeyboardInterrupt

    with _unheard():
        report = _run(_exploration(asked), asked, tick)
    if report.finding is not None:  # a history holds the workflow's class, which may not travel
        report.finding = evolve(report.finding, history=None)
    return report


_IS_OVER: list[Any] = []
"""In a process of the pool, the event after which it tries no more orders."""


def _begin_process(is_over: Any) -> None:
    """Runs in a process of the pool, and ends it when the command was killed, which nothing else reports to it."""
    _IS_OVER.append(is_over)
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(Exit.INTERNAL)

    threading.Thread(target=watch, name='genflow-parent', daemon=True).start()


@define(eq=False)
class _Others:
    """The processes that try random orders, and share the part of the budget that is meant for these.

    Attributes:
        asked: The exploration.
        number: How many processes.
    """

    asked: Asked
    number: int
    _until: float | None = field(init=False)
    _is_over: Any = field(factory=lambda: get_context('spawn').Event(), init=False)
    _pool: ProcessPoolExecutor | None = field(default=None, init=False)
    _tried: list[Future[Report]] = field(factory=list, init=False)
    _ticks: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._until = None if self.asked.seconds is None else time.monotonic() + self.asked.seconds

    def tick(self) -> None:
        """Called with each run of the search in this process.

        Raises:
            KeyboardInterrupt: Another process has found something.
        """
        self._ticks += 1
        if self._ticks == BEGINNING:
            self.begin()
        if self.found() is not None:
            raise KeyboardInterrupt

    def begin(self) -> None:
        """Starts them, unless they have been started."""
        if self._pool is not None:
            return
        seconds = None if self._until is None else max(0.0, self._until - time.monotonic())
        budget = math.ceil(self.asked.budget * BY_CHANCE / self.number)
        part = evolve(self.asked, budget=budget, seconds=seconds, part='chance')
        self._pool = ProcessPoolExecutor(self.number, get_context('spawn'), _begin_process, (self._is_over,))
        for job in range(1, self.number + 1):
            self._tried.append(self._pool.submit(_in_process, evolve(part, seed=f'{part.seed}/{job}')))

    def found(self) -> Report | None:
        """The report of one that has found something, if there is one."""
        return next((done.result() for done in self._tried if done.done() and not done.result().ok), None)

    def wait(self) -> None:
        """Waits until all have ended, or one has found something."""
        any(not done.result().ok for done in as_completed(self._tried))

    def end(self) -> None:
        """Has them try no more orders, and waits for what they have tried."""
        self._is_over.set()
        if self._pool is not None:
            self._pool.shutdown()

    def add_to(self, report: Report) -> Report:
        """Adds what they have tried to a report that has found nothing."""
        reports = [done.result() for done in self._tried]
        for other in reports:
            report.elsewhere += other.runs
            for stage, runs in other.stages.items():
                report.stages[stage] = report.stages.get(stage, 0) + runs
        if reports and report.partial is not None:
            number = '' if len(reports) == 1 else f'one of {len(reports)} processes: '
            report.bound = f'{number}{reports[0].bound}' if reports[0].bound else ''
        return report


def _together(asked: Asked, jobs: int) -> Report:
    """Tries orders in turn, while other processes try random ones; the first finding is the result of all."""
    begun = time.monotonic()
    exploration = _exploration(asked)
    others = _Others(asked, jobs - 1)
    try:
        report = _run(exploration, evolve(asked, part='search'), others.tick)
        if report.ok and report.partial is not None and not report.interrupted:
            others.begin()
            others.wait()
    except KeyboardInterrupt:
        report = exploration.until_now()
    finally:
        others.end()
    if report.ok:
        report = others.found() or others.add_to(report)
    report.seconds = time.monotonic() - begun
    return report
