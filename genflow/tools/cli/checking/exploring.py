"""Carries out ``genflow explore``, in one process or in several."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, redirect_stdout
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import click
from attrs import evolve, frozen

from genflow.insight import ExecutionView
from genflow.testing.explorer import Finding, Report
from genflow.testing.explorer.exploration import Exploration
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
    only_chance: bool = False


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
    if jobs == 1:
        with _unheard():
            return _alone(asked)
    return _together(asked, jobs)


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
        return exploration.run(Budget(asked.budget, until), asked.faults, asked.seed, only_chance=asked.only_chance)
    except KeyboardInterrupt:
        return exploration.until_now()


def _in_process(asked: Asked) -> Report:
    with _unheard():
        report = _run(_exploration(asked), asked, None)
    if report.finding is not None:  # a history holds the workflow's class, which may not travel
        report.finding = evolve(report.finding, history=None)
    return report


def _end_with_parent() -> None:
    """Runs in a process of the pool, and ends it when the command was killed, which nothing else reports to it."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(Exit.INTERNAL)

    threading.Thread(target=watch, name='genflow-parent', daemon=True).start()


def _together(asked: Asked, jobs: int) -> Report:
    """One process tries all orders in turn, the others random orders; the first finding is the result of all."""
    parts = [asked, *(evolve(asked, seed=f'{asked.seed}/{job}', only_chance=True) for job in range(1, jobs))]
    with ProcessPoolExecutor(jobs, get_context('spawn'), _end_with_parent) as pool:
        tried = [pool.submit(_in_process, part) for part in parts]
        try:
            first = next((done for done in as_completed(tried) if not done.result().ok), tried[0])
        except KeyboardInterrupt:  # which each of the processes gets as well, and ends with what it has found
            first = next((done for done in as_completed(tried) if not done.result().ok), tried[0])
        pool.shutdown(wait=False, cancel_futures=True)
        report = first.result()
        if report.ok:
            report.elsewhere = sum(other.result().runs for other in tried if other is not first and other.done())
        return report
