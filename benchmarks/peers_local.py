"""Many short workflows on one machine: genflow's embedded service beside DBOS on SQLite and flowy's LocalWorkflow.

Run ``python benchmarks/peers_local.py FOLDER`` with a Python that has genflow. FOLDER keeps the virtual environments
and, for the time of a run, the files; it should be on the disk that is of interest.

Wall time from the first start to the last result, a new process and a new file each time, all sides in turn, round by
round. Durable sides wait for the disk, so each round also counts the single-row ``FULL`` commits that SQLite makes of
it in a second; ratios are medians over the rounds of two figures of one round.
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
from contextlib import closing
from pathlib import Path

from attrs import frozen
from environments import THIS, Interpreters, Unavailable, environment

BENCHMARKS = Path(__file__).resolve().parent
NEWER = tuple(dict.fromkeys((THIS, '3.13', '3.12', '3.11', '3.10')))
PROBE_SECONDS = 1.0
PATIENCE = 600  # seconds for one side of a round


@frozen
class Contender:
    """A side: what to install under which Pythons, what to run, and whether what it has done outlives a power cut."""

    name: str
    script: str
    arguments: tuple[str, ...] = ()
    requirement: str | None = None
    pythons: tuple[str, ...] = (THIS,)
    durable: bool = True


DBOS_WAL = 'DBOS, FULL, WAL'
CONTENDERS = (
    Contender(DBOS_WAL, 'local_dbos.py', ('WAL',), 'dbos==3.4.0', NEWER),
    Contender('DBOS, FULL, as it comes', 'local_dbos.py', ('DELETE',), 'dbos==3.4.0', NEWER),
    Contender('genflow, FULL, 1+4 threads', 'local_genflow.py', ('FULL', '1', '4')),
    Contender('genflow, FULL, 16+16 threads', 'local_genflow.py', ('FULL', '16', '16')),
    Contender('genflow, in memory', 'local_genflow.py', ('memory', '1', '4'), durable=False),
    Contender('flowy, nothing kept', 'local_flowy.py', (), 'flowy==0.4.1', ('3.9', '3.8', '3.7'), durable=False),
)


def installed(contender: Contender, folder: Path, interpreters: Interpreters) -> str:
    """The Python to run a side with.

    Raises:
        Unavailable: there is none, or what the side needs cannot be installed.
    """
    if contender.requirement is None:
        return sys.executable
    return environment(folder, contender.requirement, interpreters.find(contender.pythons))


def rate(contender: Contender, python: str, folder: Path, workflows: int, steps: int) -> float:
    """Steps a second.

    Raises:
        Unavailable: the side could not be run, or not in time.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        script = str(BENCHMARKS / 'peers' / contender.script)
        command = [python, '-W', 'ignore', script, place, str(workflows), str(steps), *contender.arguments]
        surroundings = {**os.environ, 'PYTHONPATH': '' if contender.requirement else str(BENCHMARKS.parent)}
        try:
            done = subprocess.run(
                command, env=surroundings, cwd=place, capture_output=True, text=True, check=True, timeout=PATIENCE
            )
        except subprocess.CalledProcessError as error:
            raise Unavailable((error.stderr.strip().splitlines() or ['no word of an error'])[-1]) from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f'took longer than {PATIENCE} s') from error
    return workflows * steps / json.loads(done.stdout.splitlines()[-1])['seconds']


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


def available(folder: Path, interpreters: Interpreters) -> dict[Contender, str]:
    """The Python of each side that can be had; of the others is said why not."""
    found = {}
    for contender in CONTENDERS:
        try:
            found[contender] = installed(contender, folder, interpreters)
        except Unavailable as error:
            print(f'{contender.name}: left out, {error}')
    return found


def measured(
    pythons: dict[Contender, str], folder: Path, workflows: int, steps: int, rounds: int
) -> tuple[list[float], dict[Contender, list[float]]]:
    """Commits a second of each round, and steps a second of each side in each round; a side that fails is left out."""
    probes: list[float] = []
    rates: dict[Contender, list[float]] = {contender: [] for contender in pythons}
    for _ in range(rounds):
        probes.append(commits(folder))
        for contender in list(rates):
            try:
                rates[contender].append(rate(contender, pythons[contender], folder, workflows, steps))
            except Unavailable as error:
                print(f'{contender.name}: left out, {error}')
                del rates[contender]
    return probes, rates


def show(probes: list[float], rates: dict[Contender, list[float]]) -> None:
    print(f'SQLite alone: {statistics.median(probes):,.0f} FULL commits/s ({min(probes):,.0f} to {max(probes):,.0f})')
    baseline = next((found for contender, found in rates.items() if contender.name == DBOS_WAL), None)
    print(f'{"":28}{"steps/s":>9}{"lowest":>9}{"highest":>9}{"per commit":>12}{"x DBOS, WAL":>13}')
    for contender, found in rates.items():
        shares = statistics.median(rate / probe for rate, probe in zip(found, probes, strict=True))
        share = f'{shares:.2f}' if contender.durable else '-'
        line = f'{contender.name:28}{statistics.median(found):>9,.0f}{min(found):>9,.0f}{max(found):>9,.0f}{share:>12}'
        if baseline:
            line += f'{statistics.median(ours / base for ours, base in zip(found, baseline, strict=True)):>13.2f}'
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='keeps the virtual environments and the files')
    parser.add_argument('--python', action='append', default=[], help='an interpreter to choose from; may be repeated')
    parser.add_argument('--workflows', type=int, default=200)
    parser.add_argument('--steps', type=int, default=10)
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    pythons = available(folder, Interpreters(options.python))
    probes, rates = measured(pythons, folder, options.workflows, options.steps, options.rounds)
    print(f'{options.workflows:,} workflows of {options.steps:,} steps, medians of {options.rounds} rounds')
    show(probes, rates)


if __name__ == '__main__':
    main()
