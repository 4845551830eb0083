"""Mutation tests: what can be broken in a module without a red test.

    python3 dev.py mutate genflow/core/engine genflow/core/tasks
    python3 dev.py mutate genflow/local/engine --sample 100 --seed 7

Each place of a module that can be changed is changed in one way, chosen by the seed: an operator, a comparison, a
number, a condition, a decorator, an exception, or a statement that is removed. Then the tests run that run the changed
line, the quickest first, until one of them fails. A change that none of them notices survives: it is printed with the
line before and after, and it either gets a test or its reason in ``.ci/equivalent_mutants.txt``.

Everything happens in a clone of what is committed, in a folder beside the repository's: the clone, the map of which
test runs which line (made once, by coverage), and the outcome of each change, one a line. The same command goes on
where it was stopped. Tests run in a group of processes of their own, which ends with its time, and with this process
however that ends.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import mutation_plugin
from attrs import asdict, define, evolve, field
from coverage import CoverageData
from mutants import REASONS, Mutant, difference, mutants, reasons

CHECKOUT = Path(__file__).resolve().parent.parent

ROOMS = {'core': ('tests/core',), 'local': ('tests/local', 'tests/conformance'), 'swf': ('tests/swf',)}
"""Where the tests of a room are; those of the others are in the folder of the same name."""

QUICK, THOROUGH = 'not slow and not thorough and not browser', 'not slow and not browser'
"""Which of a room's tests run for each change; the second takes a thing or two that the quick ones leave to it."""

FIRST = 60
"""Tests that are tried before the others, the quickest; most changes do not outlive them."""

LONGEST = 90.0
"""Seconds of tests, as they took for the map, that one change may cost."""

LEAST = 20.0
"""Seconds that tests have at least; more where they took more for the map."""

TAG = 'GENFLOW_MUTATION_FOLDER'
"""The variable by which processes that tests have started, and left, are found."""

TOGETHER = 8
"""Files of tests in one process while the map is made: starting one takes as long as many tests."""

KILLED, SURVIVED, TIMED_OUT, UNTESTED = 'killed', 'survived', 'timed out', 'no test runs it'
MEANS_THE_SAME = 'means the same'


@define
class Session:
    """One commit's mutants, in a folder that outlives the command.

    Attributes:
        folder: Where the clone, the map and the outcomes are.
        choice: Marks of the tests that run.
        tests: Those that passed, with their seconds.
        measured: Which test runs which lines, of some files of tests each.
        lines: The tests of each line, by module, of the modules that were asked for.
    """

    folder: Path
    choice: str = QUICK
    tests: dict[str, float] = field(factory=dict)
    measured: list[CoverageData] = field(factory=list)
    lines: dict[str, dict[int, set[str]]] = field(factory=dict)

    @property
    def clone(self) -> Path:
        return self.folder / 'genflow'

    def prepare(self) -> None:
        """Clone what is committed; once."""
        self.kill_left_behind()
        if not self.clone.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            run('git', 'clone', '--quiet', CHECKOUT, self.clone)
            run(*compiling(), cwd=self.clone)
        run('git', 'checkout', '--quiet', '.', cwd=self.clone)

    def map(self, files: Sequence[str]) -> None:
        """Run the files of tests, some in each process, and write down which test runs which lines; once."""
        for first in range(0, len(files), TOGETHER):
            several = files[first : first + TOGETHER]
            times = self.folder / f'{several[0].replace("/", "-")}-{len(several)}.times'
            data = times.with_suffix('.coverage')
            if not data.exists():
                say(f'which lines do the tests run? {first} of {len(files)} files')
                times.unlink(missing_ok=True)
                measured = ('-m', 'coverage', 'run', f'--data-file={data}.new', '--source=genflow')
                self.pytest(
                    [*measured, '-m', 'pytest', '-m', self.choice, *several],
                    1800,
                    **{mutation_plugin.TIMES: str(times)},
                )
                Path(f'{data}.new').touch()
                Path(f'{data}.new').rename(data)
            if times.exists():
                self.tests.update(json.loads(line) for line in times.read_text(encoding='utf-8').splitlines())
            if data.stat().st_size:
                self.measured.append(CoverageData(str(data)))
                self.measured[-1].read()

    def tests_of(self, mutant: Mutant) -> list[tuple[str, float]]:
        """Give the tests that run the mutant's line, the quickest first; those of its module if it runs at import."""
        lines = self.lines_of(mutant.path)
        found = lines.get(mutant.line) or next((lines[line] for line in before(mutant.line) if line in lines), set())
        if '' in found:
            found = set().union(*lines.values())
        passed = ((test, self.tests[test]) for test in found if test in self.tests)
        return sorted(passed, key=lambda test: test[1])

    def lines_of(self, path: str) -> dict[int, set[str]]:
        """Give the tests of each line of a module; those of lines that run at import are named `''`."""
        if path not in self.lines:
            lines = self.lines[path] = {}
            for data in self.measured:
                for line, contexts in data.contexts_by_lineno(str(self.clone / path)).items():
                    lines.setdefault(line, set()).update(contexts)
        return self.lines[path]

    def attempt(self, mutant: Mutant, explained: Container[tuple[str, str, str]]) -> Tried:
        """Make the change and see whether a test notices it, unless it is one of those that mean the same."""
        source = (self.clone / mutant.path).read_text(encoding='utf-8')
        changed = mutant.applied(source)
        before, after = difference(source, changed)
        if (mutant.path, before, after) in explained:
            return Tried(mutant.key, MEANS_THE_SAME, '', before, after)
        return Tried(mutant.key, *self.outcome(mutant, source, changed), before, after)

    def outcome(self, mutant: Mutant, source: str, changed: str) -> tuple[str, str]:
        """Change the clone, run the tests, change it back: how it went, and the test that noticed."""
        tests = affordable(self.tests_of(mutant))
        if not tests:
            return UNTESTED, ''
        path = self.clone / mutant.path
        try:
            path.write_text(changed, encoding='utf-8')
            for chosen in filter(None, (tests[:FIRST], tests[FIRST:])):
                names = self.folder / 'tests.txt'
                names.write_text('\n'.join(name for name, _ in chosen), encoding='utf-8')
                limit = max(LEAST, 5 * sum(seconds for _, seconds in chosen))
                code, output = self.pytest(['-m', 'pytest', '-x', f'@{names}'], limit)
                if code is None:
                    return TIMED_OUT, ''
                if code:
                    return KILLED, next((line for line in output.splitlines() if line.startswith('FAILED')), '')
        finally:
            path.write_text(source, encoding='utf-8')
        return SURVIVED, f'{len(tests)} tests'

    def pytest(self, arguments: Sequence[str], limit: float, **variables: str) -> tuple[int | None, str]:
        """Run pytest in the clone: its exit code, or None when its time was over, and what it printed."""
        reading, writing = os.pipe()
        plain = ('-q', '-n', '0', '-p', 'mutation_plugin', '-p', 'no:cacheprovider', '--tb=no', '-o', 'addopts=')
        command = [sys.executable, *arguments, *plain, '--import-mode=importlib']
        environment = {
            **os.environ,
            'GENFLOW_EXAMPLES': 'quick',
            'PYTHONDONTWRITEBYTECODE': '1',
            'PYTHONPATH': str(self.clone / '.ci'),
            mutation_plugin.LIFELINE: str(reading),
            TAG: str(self.folder),
            **variables,
        }
        with tempfile.TemporaryFile('w+') as output:
            running = subprocess.Popen(
                command,
                cwd=self.clone,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[reading],
                start_new_session=True,
            )
            os.close(reading)
            try:
                code = running.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, signal.SIGKILL)
                running.wait()
                os.close(writing)
                self.kill_left_behind()
            output.seek(0)
            return code, output.read()

    def kill_left_behind(self) -> None:
        """Kill what tests have started and left, in whichever group it is; where the system lets that be found."""
        tag = f'{TAG}={self.folder}\0'.encode()
        for process in Path('/proc').glob('[0-9]*'):
            with suppress(OSError):
                if int(process.name) != os.getpid() and tag in (process / 'environ').read_bytes():
                    os.kill(int(process.name), signal.SIGKILL)


def before(line: int) -> range:
    """The lines above one, nearest first: of a statement on several lines, only some are seen to run."""
    return range(line - 1, max(line - 6, 0), -1)


def affordable(tests: list[tuple[str, float]]) -> list[tuple[str, float]]:
    """The first tests that together take no more than `LONGEST`, and one at least."""
    spent = 0.0
    chosen: list[tuple[str, float]] = []
    for name, seconds in tests:
        spent += seconds
        if chosen and spent > LONGEST:
            break
        chosen.append((name, seconds))
    return chosen


def main(arguments: list[str]) -> int:
    """Mutate the modules, print what survived, and fail if anything did."""
    parser = argparse.ArgumentParser(prog='dev.py mutate', description='Find what can be broken without a red test.')
    parser.add_argument('modules', nargs='+', type=Path, metavar='MODULE', help='files or folders of genflow')
    parser.add_argument(
        '--tests', nargs='+', help="files or folders of tests; those of the modules' rooms unless given"
    )
    parser.add_argument('--sample', type=int, metavar='N', help='try N places only, drawn by the seed')
    parser.add_argument(
        '--seed', type=int, default=1, metavar='S', help='draws the sample and the changes; 1 unless given'
    )
    parser.add_argument(
        '--folder', type=Path, help='where the clone and the outcomes stay; one for each commit unless given'
    )
    parser.add_argument('--nice', type=int, default=19, help='how much everything else goes first; 19 unless given')
    parser.add_argument('--thorough', action='store_true', help='take the tests that are marked so, too')
    options = parser.parse_args(arguments)
    if options.folder and options.folder.resolve().is_relative_to(CHECKOUT):
        parser.error(f'{options.folder} is in the repository; give a folder outside of it')
    for module in options.modules:
        if not (CHECKOUT / module).exists():
            parser.error(f'{module} is not in {CHECKOUT}')
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    os.nice(max(options.nice - os.nice(0), 0))
    choice = THOROUGH if options.thorough else QUICK
    session = Session((options.folder or default_folder(choice)).resolve(), choice)
    session.prepare()
    chosen = mutants(session.clone, options.modules, options.seed, options.sample)
    session.map(files_of_tests(session.clone, options.tests or rooms(options.modules)))
    return report(session, list(outcomes(session, chosen)))


def default_folder(choice: str) -> Path:
    commit = subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return Path(
        tempfile.gettempdir(), f'genflow-mutants-{commit.stdout[:12]}-{"quick" if choice == QUICK else "thorough"}'
    )


def rooms(modules: Iterable[Path]) -> list[str]:
    """The folders with the tests of the modules."""
    names = sorted({module.parts[1] for module in modules})
    return [folder for name in names for folder in ROOMS.get(name, (f'tests/{name}',))]


def files_of_tests(root: Path, places: Iterable[str]) -> list[str]:
    """The files of tests in folders."""
    found = {
        file
        for place in places
        for file in ((root / place).rglob('test_*.py') if (root / place).is_dir() else [root / place])
    }
    return sorted(file.relative_to(root).as_posix() for file in found)


@define(frozen=True)
class Tried:
    """What became of a mutant.

    Attributes:
        key: The mutant's.
        outcome: How it went.
        by: The test that noticed it, or the reason why none can.
        before: The lines that the change takes away.
        after: Those that it brings.
    """

    key: str
    outcome: str
    by: str
    before: str
    after: str


def outcomes(session: Session, chosen: list[Mutant]) -> Iterator[tuple[Mutant, Tried]]:
    """Try each mutant that was not tried yet; give all of them with how it went."""
    path = session.folder / 'outcomes.jsonl'
    path.touch()
    entries = [Tried(**json.loads(line)) for line in path.read_text(encoding='utf-8').splitlines()]
    known = {entry.key: entry for entry in entries}
    explained = reasons((CHECKOUT / REASONS).read_text(encoding='utf-8'))
    for number, mutant in enumerate(chosen, 1):
        tried = known.get(mutant.key) or session.attempt(mutant, explained)
        reason = explained.get((mutant.path, tried.before, tried.after))
        if reason is not None:
            tried = evolve(tried, outcome=MEANS_THE_SAME, by=reason)
        elif mutant.key not in known:
            with path.open('a', encoding='utf-8') as file:
                file.write(json.dumps(asdict(tried)) + '\n')
            say(f'{number} of {len(chosen)} {mutant.key}: {tried.outcome} {tried.by}')
        yield mutant, tried


def report(session: Session, found: list[tuple[Mutant, Tried]]) -> int:
    """Print the survivors and the counts, and leave them in the session's folder; the exit code."""
    lines = [
        f'{mutant.path}: {tried.before} ==> {tried.after}\n    line {mutant.line}, {tried.outcome} {tried.by}'
        for mutant, tried in found
        if tried.outcome in (SURVIVED, UNTESTED)
    ]
    counts = Counter(tried.outcome for _, tried in found)
    lines.append(', '.join(f'{outcome}: {count}' for outcome, count in sorted(counts.items())))
    (session.folder / 'summary.txt').write_text('\n'.join(lines) + '\n', encoding='utf-8')
    print('\n'.join(lines))
    say(f'all of it is in {session.folder}')
    return 1 if counts[SURVIVED] or counts[UNTESTED] else 0


def compiling() -> list[object]:
    """Compile once, and have Python compare contents: the time of a file that changes twice a second says nothing."""
    return [sys.executable, '-m', 'compileall', '-q', '--invalidation-mode', 'checked-hash', 'genflow']


def run(*command: object, cwd: Path | None = None) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=cwd)


def say(text: str) -> None:
    """Tell what happens, on stderr: stdout has the survivors."""
    print(f'mutate: {text}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
