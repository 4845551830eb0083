"""Python interpreters of several versions, and a virtual environment for each peer, kept in a folder between runs.

An interpreter is looked for among those given, then as ``pythonX.Y`` on PATH, then among pyenv's versions. Each one is
asked for its version before it is believed: pyenv's shims stand on PATH for versions that are not active.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

INSTALL_SECONDS = 900
ASK = 'import sys; print("%d.%d" % sys.version_info[:2])'
THIS = f'{sys.version_info.major}.{sys.version_info.minor}'


class Unavailable(Exception):
    """A peer cannot be had here; the text says why."""


@frozen
class Interpreters:
    """Where to look for Pythons: `given` are paths, which come first."""

    given: Sequence[str] = ()

    def find(self, versions: Sequence[str]) -> str:
        """The first interpreter of the first version that there is.

        Raises:
            Unavailable: there is none.
        """
        for version in versions:
            for path in self._candidates(version):
                if version_of(path) == version:
                    return path
        raise Unavailable(
            f'needs Python {" or ".join(versions)}, and none was found: put `python{versions[0]}` on PATH, or give its '
            'path with --python'
        )

    def _candidates(self, version: str) -> Iterator[str]:
        yield from self.given
        if version == THIS:
            yield sys.executable
        on_path = shutil.which(f'python{version}')
        if on_path:
            yield on_path
        pyenv = Path(os.environ.get('PYENV_ROOT', '~/.pyenv')).expanduser()
        yield from map(str, sorted(pyenv.glob(f'versions/{version}.*/bin/python'), reverse=True))


def version_of(path: str) -> str | None:
    """Major and minor version of an interpreter; ``None`` if it does not run."""
    try:
        done = subprocess.run([path, '-c', ASK], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def cache() -> Path:
    """The folder that keeps environments between runs, where the user names no other."""
    return Path(os.environ.get('XDG_CACHE_HOME') or '~/.cache').expanduser() / 'genflow-benchmarks'


def environment(folder: Path, requirement: str, python: str) -> str:
    """The interpreter of a virtual environment that has what is required, made if need be.

    Args:
        folder: Keeps environments.
        requirement: Of pip's; several are separated by spaces, the first one names the environment.
        python: The interpreter that it is made with.

    Raises:
        Unavailable: it could not be made; the log in the folder has all that was printed.
    """
    words = requirement.split()
    place = folder / f'{re.sub("[^a-z0-9.]+", "-", words[0])}-python{version_of(python)}'
    inside = place / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
    stamp = place / 'installed'
    if not stamp.exists():
        shutil.rmtree(place, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        with place.with_suffix('.log').open('w') as log:
            _run([python, '-m', 'venv', str(place)], log)
            _run([str(inside), '-m', 'pip', 'install', '--disable-pip-version-check', *words], log)
        stamp.write_text(requirement)
    return str(inside)


def npm_program(folder: Path, requirement: str, program: str) -> str:
    """A program of a package of npm's, installed if need be.

    Raises:
        Unavailable: there is no npm, or it cannot install the package.
    """
    npm = shutil.which('npm')
    if npm is None:
        raise Unavailable('needs npm, and none is on PATH')
    place = folder / requirement.lstrip('@').replace('/', '-').replace('@', '-')
    inside = place / 'node_modules/.bin' / program
    if not inside.exists():
        place.mkdir(parents=True, exist_ok=True)
        with place.with_suffix('.log').open('w') as log:
            _run([npm, 'install', '--no-fund', '--no-audit', '--prefix', str(place), requirement], log)
    return str(inside)


def _run(command: list[str], log: object) -> None:
    try:
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=True, timeout=INSTALL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError) as error:
        raise Unavailable(f'could not be installed: {error}; see {log.name}') from error
