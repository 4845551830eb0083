"""Replay and decider CPU of flowy, simpleflow and durabletask beside genflow's, in one run.

Run ``python benchmarks/peers.py FOLDER`` with a Python that has genflow. FOLDER keeps a virtual environment for each
peer, made from the package index the first time. A peer that cannot be had here is named with the reason, and left out.

Two questions. *Cold replay*: what does the last decision of a run of N activities cost a worker that sees the run for
the first time? *Life*: how much CPU do all decisions of one run take together? The peers replay at each decision;
genflow keeps the execution, and is also timed without that.

Each side is a process that reads jobs (see peers/serving.py), asked in turn, round by round; ratios are medians over
the rounds of the two times in one round. Times are CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen
from environments import THIS, Interpreters, Unavailable, environment

BENCHMARKS = Path(__file__).resolve().parent
NEWER = tuple(dict.fromkeys((THIS, '3.13', '3.12', '3.11', '3.10')))
SHAPES = ('sequential', 'parallel')
SAMPLES = 11

OLD_FLOWY = (
    'its metadata names 2.7, 3.4 and 3.5 and forbids none; the boto3 1.3.1 that it pins brings a botocore whose copy '
    'of urllib3 imports `Mapping` from `collections`, as flowy does, and Python 3.10 took that out: 3.9 is the newest'
)
ALIASED = 'for comparison on one Python: the names that 3.10 took out of `collections` are put back before the import'
DECLARED = 'its metadata requires 3.10 or newer'


@frozen
class Peer:
    """A side of the comparison: what to install, under which Pythons (in order of preference) and why, what to run."""

    name: str
    requirement: str | None
    pythons: tuple[str, ...]
    why: str
    script: str
    arguments: tuple[str, ...] = ()


GENFLOW = Peer('genflow', None, (THIS,), 'this one', 'run_genflow.py')
PEERS = (
    GENFLOW,
    Peer('flowy', 'flowy==0.4.1', ('3.9', '3.8', '3.7'), OLD_FLOWY, 'run_flowy.py'),
    Peer('flowy, aliased', 'flowy==0.4.1', (THIS,), ALIASED, 'run_flowy.py', ('--restore-aliases',)),
    Peer('simpleflow', 'simpleflow==0.36.0', NEWER, DECLARED, 'run_simpleflow.py'),
    Peer('durabletask', 'durabletask==1.12.0', NEWER, DECLARED, 'run_durabletask.py'),
)
NOTHING_KEPT = Peer('genflow, not kept', None, (THIS,), 'this one', 'run_genflow.py', ('--nothing-kept',))


class Side:
    """A peer's process, which answers one job at a time."""

    def __init__(self, peer: Peer, process: subprocess.Popen[str], errors: Path) -> None:
        self.peer = peer
        self._process, self._errors = process, errors
        self.python = self._answer()['python']

    def ask(self, job: str, **arguments: Any) -> dict[str, Any]:
        """One job.

        Raises:
            Unavailable: the process has ended.
        """
        try:
            self._process.stdin.write(json.dumps({'job': job, **arguments}) + '\n')
            self._process.stdin.flush()
        except OSError as error:
            raise Unavailable(f'has ended: {self._last_words()}') from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise Unavailable(f'could not be run: {self._last_words()}')
        return json.loads(line)

    def _last_words(self) -> str:
        return (self._errors.read_text().strip().splitlines() or ['no word of an error'])[-1]


@contextmanager
def started(peer: Peer, folder: Path, interpreters: Interpreters) -> Iterator[Side]:
    """A peer's process, for a while."""
    python = interpreters.find(peer.pythons) if peer.requirement else sys.executable
    inside = environment(folder, peer.requirement, python) if peer.requirement else python
    errors = folder / f'{peer.name}.errors'
    folder.mkdir(parents=True, exist_ok=True)
    command = [inside, '-W', 'ignore', str(BENCHMARKS / 'peers' / peer.script), *peer.arguments]
    with (
        errors.open('w') as log,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, env=surroundings(peer)
        ) as process,
    ):
        yield Side(peer, process, errors)
        process.stdin.close()


def surroundings(peer: Peer) -> dict[str, str]:
    """The environment of a peer's process: the histories, and no AWS account of anybody."""
    made_up = {'AWS_DEFAULT_REGION': 'us-east-1', 'AWS_ACCESS_KEY_ID': 'made-up', 'AWS_SECRET_ACCESS_KEY': 'made-up'}
    folders = [BENCHMARKS] if peer.requirement else [BENCHMARKS, BENCHMARKS.parent]
    path = os.pathsep.join(map(str, folders))
    return {**os.environ, **made_up, 'PYTHONPATH': path, 'PYTHONHASHSEED': '0', 'AWS_EC2_METADATA_DISABLED': 'true'}


def replays(sides: list[Side], shape: str, count: int, runs: int) -> None:
    """Print what one cold replay costs each side."""
    for side in sides:
        side.ask('replay', shape=shape, count=count)  # builds the history, warms up
    rounds = [{side: side.ask('replay', shape=shape, count=count) for side in sides} for _ in range(runs)]
    print(f'\nCold replay, {count:,} {shape} activities, medians of {runs} rounds')
    print(f'{"":18}{"Python":>8}{"events":>9}{"ms":>9}{"us/activity":>13}{"us/event":>10}{"x genflow":>11}')
    for side in sides:
        events = rounds[0][side]['events']
        seconds = statistics.median(answers[side]['seconds'] for answers in rounds)
        ratio = statistics.median(answers[side]['seconds'] / answers[sides[0]]['seconds'] for answers in rounds)
        print(
            f'{side.peer.name:18}{side.python:>8}{events:>9,}{seconds * 1e3:>9.1f}{seconds / count * 1e6:>13.2f}'
            f'{seconds / events * 1e6:>10.2f}{ratio:>11.2f}'
        )


def lives(sides: list[Side], steps: int, runs: int, budget: float) -> None:
    """Print what all decisions of one run cost each side; extrapolated where that would take longer than the budget."""
    print(f'\nDecider CPU over the life of a run of {steps:,} sequential activities, {steps + 1:,} decisions')
    print(f'{"":18}{"Python":>8}{"s":>10}{"x genflow":>11}')
    ours = None
    for side in sides:
        if side.peer is GENFLOW:
            seconds, how = median_life(side, steps, runs), f'kept between decisions; median of {runs} lives'
            ours = seconds
        else:
            seconds, how = life(side, steps, budget)
        print(f'{side.peer.name:18}{side.python:>8}{seconds:>10.3f}{seconds / ours:>11.0f}  {how}')


def median_life(side: Side, steps: int, runs: int) -> float:
    return statistics.median(side.ask('life', steps=steps)['seconds'] for _ in range(runs))


def life(side: Side, steps: int, budget: float) -> tuple[float, str]:
    """Seconds of a life in which each decision is a replay, and how they were found."""
    guess = extrapolated(lambda number: side.ask('decision', steps=steps, number=number)['seconds'], steps)
    if guess > budget:
        return guess, f'EXTRAPOLATED from {SAMPLES} of the decisions: all would take longer than {budget:g} s'
    return side.ask('life', steps=steps)['seconds'], f'every decision made; {SAMPLES} of them foretold {guess:.3f} s'


def extrapolated(cost: Callable[[int], float], steps: int) -> float:
    """The cost of decisions 0 to `steps`, from evenly spaced ones, each three times, by the trapezoidal rule."""
    numbers = [round(place * steps / (SAMPLES - 1)) for place in range(SAMPLES)]
    cost(numbers[-1])
    costs = [statistics.median(cost(number) for _ in range(3)) for number in numbers]
    between = zip(numbers, numbers[1:], costs, costs[1:])  # noqa: B905 - neighbours: one is shorter
    area = sum((right - left) * (low + high) / 2 for left, right, low, high in between)
    return area + (costs[0] + costs[-1]) / 2


def available(peers: tuple[Peer, ...], folder: Path, interpreters: Interpreters, stack: ExitStack) -> Iterator[Side]:
    """The processes of the peers that can be had; of each is said which Python it needs and why, or why not."""
    for peer in peers:
        try:
            side = stack.enter_context(started(peer, folder, interpreters))
        except Unavailable as error:
            print(f'{peer.name}: left out, {error}')
        else:
            print(f'{peer.requirement or peer.name}: Python {side.python}, {peer.why}')
            yield side


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('folder', type=Path, help='keeps the virtual environments')
    parser.add_argument('--python', action='append', default=[], help='an interpreter to choose from; may be repeated')
    parser.add_argument('--counts', type=int, nargs='+', default=[1000, 4000], help='activities of a cold replay')
    parser.add_argument('--runs', type=int, default=9, help='rounds of a cold replay')
    parser.add_argument('--steps', type=int, default=1000, help='activities of a life')
    parser.add_argument('--budget', type=float, default=150, help='seconds that a whole life may take to be measured')
    return parser.parse_args()


def main() -> None:
    options = parsed()
    with ExitStack() as stack:
        sides = list(available((*PEERS, NOTHING_KEPT), options.folder, Interpreters(options.python), stack))
        replaying = [side for side in sides if side.peer is not NOTHING_KEPT]
        for count in options.counts:
            for shape in SHAPES:
                replays(replaying, shape, count, options.runs)
        lives(sides, options.steps, options.runs, options.budget)


if __name__ == '__main__':
    main()
