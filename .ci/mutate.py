"""Mutation tests: what can be broken in a module without a red test.

    python3 dev.py mutate genflow/core/tasks/signals.py python3 dev.py mutate genflow/local/engine/group_commit.py
    --tests tests/local/test_group_commit.py tests/local/test_files.py

cosmic-ray changes one operator, comparison, number or branch of the module at a time and runs the tests; what no test
notices is printed as a diff. That takes the tests' time for each of some hundred changes, so it is no part of the gate.
Everything happens in a clone of what is committed: a run that is interrupted leaves no change behind.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
TOOL = Path(sys.executable).parent

# A bar in an annotation is never run; the other changes of operators say more where several could be made.
NOT_WORTH = ('core/ReplaceBinaryOperator_BitOr_.*', 'core/ReplaceUnaryOperator_.*_Invert', 'core/ZeroIterationForLoop')

CONFIG = """
[cosmic-ray]
module-path = {modules}
timeout = {timeout}
excluded-modules = []
test-command = {command}

[cosmic-ray.distributor]
name = "local"

[cosmic-ray.filters.operators-filter]
exclude-operators = {excluded}
"""


def main(arguments: list[str]) -> int:
    """Mutate the modules, print what survived, and fail if anything did."""
    parser = argparse.ArgumentParser(prog='dev.py mutate', description='Find what can be broken without a red test.')
    parser.add_argument('modules', nargs='+', type=Path, metavar='MODULE', help='files or folders of genflow')
    parser.add_argument('--tests', nargs='+', help="what to run for each change; the tests of the module's room")
    parser.add_argument('--timeout', type=float, default=120.0, help='seconds of one run; 120 unless given')
    options = parser.parse_args(arguments)
    rooms = sorted({f'tests/{module.parts[1]}' for module in options.modules})
    with tempfile.TemporaryDirectory(prefix='genflow-mutate-') as folder:
        clone = Path(folder, 'genflow')
        call('git', 'clone', '--quiet', CHECKOUT, clone)
        settings = configuration(options.modules, options.tests or rooms, options.timeout)
        Path(folder, 'config.toml').write_text(settings, encoding='utf-8')
        session = Path(folder, 'session.sqlite')
        for command in ('cosmic-ray baseline', 'cosmic-ray init', 'cr-filter-operators', 'cosmic-ray exec'):
            call(*steps(command, Path(folder, 'config.toml'), session), cwd=clone)
        return report(outcomes(session))


def configuration(modules: list[Path], tests: list[str], timeout: float) -> str:
    """The text of cosmic-ray's configuration; JSON's strings and lists are TOML's, too."""
    command = f'{sys.executable} -m pytest -x -q -n 0 -p no:cacheprovider {" ".join(tests)}'
    return CONFIG.format(
        modules=json.dumps([module.as_posix() for module in modules]),
        timeout=timeout,
        command=json.dumps(command),
        excluded=json.dumps(NOT_WORTH),
    )


def steps(command: str, config: Path, session: Path) -> list[object]:
    """The command line of one of cosmic-ray's commands, each of which wants other arguments."""
    name, *verb = command.split()
    wanted: dict[str, list[object]] = {
        'cosmic-ray baseline': [config],
        'cr-filter-operators': [session, config],
    }
    return [TOOL / name, *verb, *wanted.get(command, [config, session])]


def call(*command: object, cwd: Path | None = None) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=cwd)


Outcome = tuple[str, str]


def outcomes(session: Path) -> Iterator[Outcome]:
    """(how it went, the diff) of every change."""
    dump = subprocess.run([TOOL / 'cosmic-ray', 'dump', session], check=True, capture_output=True, text=True)
    for line in dump.stdout.splitlines():
        _, result = json.loads(line)
        if result is not None:
            yield str(result['test_outcome'] or result['worker_outcome']), result['diff'] or ''


def report(found: Iterator[Outcome]) -> int:
    """Print the diffs of the survivors and the counts; the exit code."""
    counts: Counter[str] = Counter()
    for outcome, diff in found:
        counts[outcome] += 1
        if outcome == 'survived':
            print(diff, end='\n\n')
    print(', '.join(f'{outcome}: {count}' for outcome, count in sorted(counts.items())))
    return 1 if counts['survived'] else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
