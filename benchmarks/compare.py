"""The short benchmarks here and in another commit, in alternation: ratios with their spread.

Run ``python3 dev.py bench [COMMIT]``; without a commit, what is not committed yet is compared with ``HEAD``. Each round
runs both in new processes, in an order that changes, and gives one ratio; CPU time, so that what else the machine does
matters little. A ratio above 1 means that this checkout takes longer. Look at the spread before you believe a median: a
ratio is news where all rounds lie on one side of 1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parent
ROOT = BENCHMARKS.parent


@contextmanager
def checked_out(commit: str) -> Iterator[Path]:
    """A work tree of a commit, for a while."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve() / 'genflow'
        git('worktree', 'add', '--quiet', '--detach', str(place), commit)
        try:
            yield place
        finally:
            git('worktree', 'remove', '--force', str(place))


def git(*arguments: str) -> None:
    try:
        subprocess.run(['git', *arguments], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607 - on PATH
    except FileNotFoundError:
        sys.exit('compare.py: git is not installed, or not on PATH')
    except subprocess.CalledProcessError as error:
        sys.exit(f'compare.py: `git {" ".join(arguments[:2])}` failed in {ROOT}: {error.stderr.strip()}')


def run(tree: Path, scale: float) -> dict[str, float]:
    """This checkout's benchmarks with that tree's genflow."""
    command = [sys.executable, '-W', 'ignore', str(BENCHMARKS / 'short.py'), str(tree), str(scale)]
    surroundings = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(tree), str(BENCHMARKS / 'peers')])}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f'compare.py: the benchmarks failed with {tree}:\n{done.stderr}')
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('commit', nargs='?', default='HEAD', help='what to compare with (default: %(default)s)')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--scale', type=float, default=1.0, help='the share of all numbers')
    options = parser.parse_args()
    pairs: list[tuple[dict[str, float], dict[str, float]]] = []
    with checked_out(options.commit) as other:
        for number in range(options.rounds):
            if number % 2:
                theirs, ours = run(other, options.scale), run(ROOT, options.scale)
            else:
                ours, theirs = run(ROOT, options.scale), run(other, options.scale)
            pairs.append((ours, theirs))
            print(f'round {number + 1} of {options.rounds}', file=sys.stderr)
    print(f'{"us of CPU, medians":36}{"here":>9}{options.commit[:12]:>13}{"ratio":>8}{"lowest":>8}{"highest":>8}')
    for name in pairs[0][0]:
        ratios = [ours[name] / theirs[name] for ours, theirs in pairs]
        here, there = (statistics.median(side[name] for side in column) for column in zip(*pairs, strict=True))
        spread = f'{statistics.median(ratios):>8.2f}{min(ratios):>8.2f}{max(ratios):>8.2f}'
        print(f'{name:36}{here:>9.1f}{there:>13.1f}{spread}')


if __name__ == '__main__':
    main()
