"""The gate: everything that must hold before a change lands, on what is committed.

It clones the checkout, so that a file which was never added cannot help, and does in the clone what the README tells a
newcomer to do. Every step runs, whatever became of the one before, since a list of all that is broken is worth more
than its first line; any failed step fails the gate. The whole suite of tests comes last, by the README's command for it
and in the environment that this makes itself, and its summary closes the output. Where steps failed, a line ``N passed,
N failed`` does, which counts them together with the tests.

Tests start processes and wait for them, and a machine that is busy with something else can make one of thousands fail.
So up to a handful of failed tests are tried once more, each after the other with nothing beside them; those that pass
then are named as unstable, and do not fail the gate. They are defects all the same, to be mended.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
OTHER_PYTHONS = ('3.10', '3.11', '3.12', '3.13')
PYENV = Path('~/.pyenv/versions').expanduser()

SPHINX = ('-W', '--keep-going', '-q', 'docs', 'build/docs')
# On other Pythons: what depends on the language. Commands, pages and the comparison with moto are tested once.
ROOMS = ('tests/core', 'tests/swf', 'tests/local', 'tests/conformance', 'tests/recorded')
SUITE_OF_OTHER_PYTHONS = (*ROOMS, '-q', '-m', 'not slow', '-k', 'not moto')

HANDFUL = 5
"""Failed tests that are tried once more; where more fail, something is broken."""
AGAIN = ('--last-failed', '--last-failed-no-failures', 'none', '-n', '0')

PURE = """
import sys, genflow
heavy = {'boto3', 'botocore', 'sqlite3', 'venusian'} & set(sys.modules)
sys.exit(f'import genflow brought {sorted(heavy)} with it' if heavy else 0)
"""


class StepFailed(Exception):
    """A step of the gate did not succeed; the text says which command and how it ended."""


class Gate:
    """One run of the gate, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = folder / 'genflow'
        self.failed: list[str] = []
        self.passed = 0

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Name and action of each step, in order."""
        yield 'clone', self.clone_checkout
        yield 'chromium', install_chromium
        yield 'environment', lambda: self.tool('-m', 'pip', 'check')
        yield 'ruff check', lambda: self.tool('-m', 'ruff', 'check')
        yield 'ruff format', lambda: self.tool('-m', 'ruff', 'format', '--check')
        yield 'mypy', lambda: self.tool('-m', 'mypy')
        yield 'pyright', lambda: self.tool('-m', 'pyright')
        yield 'documentation', lambda: self.tool('-m', 'sphinx', *SPHINX)
        yield 'main job', lambda: call(sys.executable, 'dev.py', 'demo', cwd=self.clone)
        yield 'wheel', self.check_wheel
        for version, python in other_pythons():
            yield f'tests on {version}', partial(self.other_suite, version, python)

    def run(self) -> int:
        """Run every step and then the tests; the exit code is 0 only if all of it succeeded."""
        for name, action in self.steps():
            self.step(name, action)
        heading('tests')
        summary, code = self.suite()
        if self.failed or code:
            self.close(summary)
        return 1 if self.failed or code else 0

    def step(self, name: str, action: Callable[[], None]) -> None:
        """Run one step and remember how it ended."""
        heading(name)
        began = time.monotonic()
        try:
            action()
        except (StepFailed, OSError) as error:
            self.failed.append(name)
            say(f'FAILED {name}: {error}')
        else:
            self.passed += 1
            say(f'ok {name}, {time.monotonic() - began:.1f} s')

    def close(self, summary: str) -> None:
        """The closing lines of a gate that failed: which steps, and how many of everything."""
        counts = {word: int(number) for number, word in re.findall(r'(\d+) (passed|failed|errors?)\b', summary)}
        failures = sum(number for word, number in counts.items() if word != 'passed')
        say(f'failed steps: {", ".join(self.failed) or "none but the tests"}')
        failures = max(failures, 0 if self.failed else 1) + len(self.failed)
        print(f'{self.passed + counts.get("passed", 0)} passed, {failures} failed', flush=True)

    def clone_checkout(self) -> None:
        """Clone what is committed, and say so if that is not what lies in the folder."""
        status = subprocess.run(
            ['git', 'status', '--porcelain'], cwd=CHECKOUT, capture_output=True, text=True, check=True
        )
        if status.stdout:
            say('the checkout has changes that are not committed; they are not tested')
        call('git', 'clone', '--quiet', CHECKOUT, self.clone, cwd=self.folder)

    def tool(self, *arguments: str) -> None:
        """A tool, in an environment of its own: what tools need must not make up for what the package forgot."""
        call(sys.executable, 'dev.py', 'python', *arguments, cwd=self.clone, GENFLOW_VENV='.venv-tools')

    def suite(self) -> tuple[str, int]:
        """The README's command for all tests: what it printed last, and its exit code."""
        return self.tests(sys.executable, '--all')

    def other_suite(self, version: str, python: str) -> None:
        """The tests on another Python, in an environment next to the first."""
        _, code = self.tests(python, *SUITE_OF_OTHER_PYTHONS, GENFLOW_VENV=f'.venv-{version}')
        if code:
            raise StepFailed(f'the tests ended with exit code {code}')

    def tests(self, python: str, *arguments: str, **variables: str) -> tuple[str, int]:
        """Run tests, and a handful that failed once more: what was printed last by the first run, and the exit code."""
        last, code = self.pytest(python, *arguments, **variables)
        failed = re.search(r'(\d+) failed', last)
        if code and failed and int(failed[1]) <= HANDFUL and 'error' not in last:
            say(f'{failed[1]} failed; they are tried once more, with nothing beside them')
            again, code = self.pytest(python, *arguments, *AGAIN, **variables)
            if not code:
                say(f'unstable: {again}, after {last}')
        return last, code

    def pytest(self, python: str, *arguments: str, **variables: str) -> tuple[str, int]:
        """Run the test command: what it printed last, and its exit code."""
        last, command = '', [python, 'dev.py', 'test', *arguments]
        settings = environment(**variables)
        with subprocess.Popen(command, cwd=self.clone, stdout=subprocess.PIPE, text=True, env=settings) as tests:
            for line in tests.stdout or ():
                print(line, end='', flush=True)
                last = line.strip() or last
        return last, tests.returncode

    def check_wheel(self) -> None:
        """Build both distributions from a clean clone, and use the wheel where there is nothing else.

        The environment is empty, the folder is not the checkout, and the wheel comes first without its extras.
        """
        source, empty = self.folder / 'clean', self.folder / 'empty'
        call('git', 'clone', '--quiet', CHECKOUT, source, cwd=self.folder)
        self.tool('-m', 'build', '--outdir', str(self.folder / 'dist'), str(source))
        (wheel,) = (self.folder / 'dist').glob('*.whl')
        (sdist,) = (self.folder / 'dist').glob('*.tar.gz')
        say(f'built {wheel.name} and {sdist.name}')
        call(sys.executable, '-m', 'venv', empty, cwd=self.folder)
        python = empty / 'bin' / 'python'
        call(python, '-m', 'pip', 'install', '--quiet', wheel, cwd=self.folder)
        call(python, '-c', PURE, cwd=self.folder)
        call(python, '-m', 'genflow', cwd=self.folder, expect=2)
        call(python, '-m', 'pip', 'install', '--quiet', f'{wheel}[cli]', cwd=self.folder)
        texts = shutil.copytree(source / 'docs', self.folder / 'texts')
        example = shutil.copy(source / 'examples' / 'wordcount.py', self.folder)
        call(empty / 'bin' / 'genflow', 'run', example, texts, cwd=self.folder)


def other_pythons() -> Iterator[tuple[str, str]]:
    """The other Pythons of this machine that work: version and executable. A shim that finds nothing does not."""
    mine = f'{sys.version_info.major}.{sys.version_info.minor}'
    for version in OTHER_PYTHONS:
        if version == mine:
            continue
        candidates = [shutil.which(f'python{version}'), *sorted(PYENV.glob(f'{version}.*/bin/python'))]
        working = next((str(path) for path in candidates if path and is_python(path, version)), None)
        if working is None:
            say(f'no working Python {version} here: its tests are left out')
        else:
            yield version, working


def install_chromium() -> None:
    """Install the browser that the dashboard is tried in, where apt can; its tests are left out where there is none."""
    if shutil.which('chromium') or shutil.which('chromium-browser'):
        return
    root = () if os.geteuid() == 0 else ('sudo', '-n')
    if shutil.which('apt-get') is None or (root and shutil.which('sudo') is None):
        say('there is no chromium, and no way to install it: the tests of pages in a browser are left out')
        return
    variables = environment(DEBIAN_FRONTEND='noninteractive')
    for words in (('update', '-qq'), ('install', '-y', '-qq', '--no-install-recommends', 'chromium')):
        code = subprocess.run([*root, 'apt-get', *words], env=variables, check=False).returncode
        if code:
            say(f'apt-get {words[0]} ended with exit code {code}: the tests of pages in a browser may be left out')


def is_python(path: str | Path, version: str) -> bool:
    """Whether `path` runs, and is Python `version`."""
    check = 'import sys; print("%d.%d" % sys.version_info[:2])'
    done = subprocess.run([path, '-c', check], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version


def call(*command: object, cwd: Path, expect: int = 0, **variables: str) -> None:
    """Run a command; an exit code other than `expect` is a `StepFailed`."""
    words = [str(word) for word in command]
    code = subprocess.run(words, cwd=cwd, env=environment(**variables), check=False).returncode
    if code != expect:
        raise StepFailed(f'`{" ".join(words)}` ended with exit code {code} instead of {expect}')


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would lead a Python or pytest astray."""
    astray = ('PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', 'PYTEST_ADDOPTS', 'GENFLOW_VENV')
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return {**kept, **variables}


def heading(text: str) -> None:
    print(f'\n=== {text} ===', flush=True)


def say(text: str) -> None:
    print(f'gate: {text}', flush=True)


if __name__ == '__main__':
    with tempfile.TemporaryDirectory(prefix='genflow-gate-', ignore_cleanup_errors=True) as folder:
        sys.exit(Gate(Path(folder)).run())
