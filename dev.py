"""One-line commands for a fresh checkout: ``python3 dev.py demo``, ``python3 dev.py test``.

Each makes what it needs and then runs, with nothing on the machine but Python 3.10 or newer: a virtual environment
``.venv`` next to this file, the checkout installed into it with the command's extras, and the command itself inside
of it. Nothing is installed outside of ``.venv``, so a system Python that refuses ``pip install`` (PEP 668) is no
hindrance; neither is one that came without ``ensurepip``, as Debian's does: see `install_pip`.

What was installed is remembered in a stamp, made of everything that decides about it, so that the second run starts
at once, and an edited setup.cfg or another Python installs anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / os.environ.get('GENFLOW_VENV', '.venv')
PYTHON = VENV / ('Scripts/python.exe' if os.name == 'nt' else 'bin/python')
OLDEST = (3, 10)
NEWER_PYTHONS = ('python3.13', 'python3.12', 'python3.11', 'python3.10', 'python3.14')
PIP_ON_PYPI = 'https://pypi.org/pypi/pip/json'

# command: (extras it needs, arguments of the environment's Python), to which the user's own arguments are added
COMMANDS = {
    'demo': ('cli', ('-m', 'genflow', 'run', 'examples/wordcount.py', 'docs')),
    'test': ('test', ('-m', 'pytest', '-n', 'auto')),
    'docs': ('docs', ('-m', 'sphinx', '-W', '--keep-going', '-q', 'docs', 'build/docs')),
    'bench': ('test', ('benchmarks/compare.py',)),
    'mutate': ('test,mutation', ('.ci/mutate.py',)),
    'python': ('test,docs,lint', ()),
}


class SetUpError(Exception):
    """The environment cannot be made; the text says what is missing and what to install."""


QUICK = 'not slow and not thorough and not browser'
"""What the tests of ``dev.py test`` are marked with, unless ``--all`` or a path follows."""


def main(arguments: list[str]) -> int:
    """Run one command in the checkout's environment, and give its exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f'usage: python3 dev.py {"|".join(COMMANDS)} [ARGUMENTS...]', file=sys.stderr)
        return 2
    extras, command = COMMANDS[arguments[0]]
    try:
        prepare(extras)
    except SetUpError as error:
        print(f'dev.py: {error}', file=sys.stderr)
        return 1
    given = arguments[1:] if arguments[0] != 'test' else suite(arguments[1:])
    return run(PYTHON, *command, *given, check=False)


def suite(arguments: list[str]) -> list[str]:
    """Choose the tests: the quick ones, or with ``--all`` every one, or those in the files that are named.

    The quick ones try a few examples of each property; whoever sets GENFLOW_EXAMPLES says otherwise.
    """
    if '--all' in arguments:
        return [word for word in arguments if word != '--all']
    if any((ROOT / word.split('::')[0]).exists() for word in arguments):
        return arguments
    os.environ.setdefault('GENFLOW_EXAMPLES', 'quick')
    return ['-m', QUICK, *arguments]


def prepare(extras: str) -> None:
    """Make the environment hold the checkout with `extras`; at once if it does already."""
    stamp = VENV / f'stamp-{extras.replace(",", "-")}'
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text(encoding='ascii') == wanted:
        return
    say(f'installing genflow with its extra {extras!r} into {VENV} (once)')
    if not works(PYTHON):
        make_environment()
    if not works(PYTHON, '-m', 'pip', '--version'):
        install_pip((pip_by_ensurepip, pip_by_systems_pip, pip_from_pypi))
    install(PYTHON, '--editable', f'{ROOT}[{extras}]')
    stamp.write_text(wanted, encoding='ascii')


def fingerprint() -> str:
    """A digest of what decides about the installation: the requirements, the build, the Python, the place."""
    digest = hashlib.sha256()
    for part in (sys.version, sys.prefix, str(ROOT)):
        digest.update(part.encode())
    for name in ('setup.cfg', 'pyproject.toml', 'dev.py'):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def make_environment() -> None:
    """Make the virtual environment, without pip: that is a step of its own, which may need other ways."""
    if not works(sys.executable, '-c', 'import venv'):
        raise SetUpError(
            f'{sys.executable} has no module `venv`. Install it (Debian and Ubuntu: apt install python3-venv) '
            'or run dev.py with a Python from python.org.'
        )
    run(sys.executable, '-m', 'venv', '--clear', '--without-pip', VENV)


def install_pip(ways: Iterable[Callable[[], bool]]) -> None:
    """Bring pip into the environment, the first way that works.

    A pip of 22.3 or newer installs into the Python that ``--python`` names; no rule about the system's own packages
    applies there.
    """
    for way in ways:
        if way() and works(PYTHON, '-m', 'pip', '--version'):
            return
    raise SetUpError(
        f'no way to bring pip into {VENV}: {sys.executable} has neither `ensurepip` nor a `pip` of 22.3 or newer, and '
        f'{PIP_ON_PYPI} could not be read. Install one of the two (Debian and Ubuntu: apt install python3-venv) '
        'or connect to the network, and run this again.'
    )


def pip_by_ensurepip() -> bool:
    """Unpack the pip that came with Python, if it did."""
    return works(PYTHON, '-m', 'ensurepip', '--default-pip')


def pip_by_systems_pip() -> bool:
    """Let the pip of the Python that runs this install one into the environment, if there is one."""
    return works(sys.executable, '-m', 'pip', '--python', PYTHON, 'install', '--quiet', 'pip')


def pip_from_pypi() -> bool:
    """Download pip's wheel, check its digest, and let it install itself: a wheel of pip runs where it lies."""
    try:
        with urllib.request.urlopen(PIP_ON_PYPI, timeout=60) as answer:
            files = json.load(answer)['urls']
        wheel = next(file for file in files if file['packagetype'] == 'bdist_wheel')
        url = urllib.parse.urljoin(PIP_ON_PYPI, wheel['url'])  # an index mirrored on the way may name it relatively
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 (named by PyPI)
            content = answer.read()
    except OSError as error:
        say(f'{PIP_ON_PYPI}: {error}')
        return False
    if hashlib.sha256(content).hexdigest() != wheel['digests']['sha256']:
        raise SetUpError(f'{url} does not have the digest that PyPI gives for it; nothing was installed.')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, wheel['filename'])
        path.write_bytes(content)
        return works(PYTHON, path / 'pip', 'install', '--quiet', 'pip')


def install(python: Path, *requirements: str) -> None:
    """Install into the environment, with pip's own words on a failure."""
    if run(python, '-m', 'pip', 'install', '--quiet', *requirements, check=False):
        raise SetUpError('pip could not install the requirements; its own words are above.')


def works(*command: object) -> bool:
    """Whether a command can be run and succeeds; what it prints is dropped."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, check=False, cwd=ROOT)
    except OSError:
        return False
    return done.returncode == 0


def run(*command: object, check: bool = True) -> int:
    """Run a command in the checkout with this process's terminal, and give its exit code."""
    try:
        return subprocess.run([str(word) for word in command], check=check, cwd=ROOT, env=variables()).returncode
    except subprocess.CalledProcessError as error:
        raise SetUpError(f'`{" ".join(map(str, command))}` failed with exit code {error.returncode}.') from None
    except KeyboardInterrupt:
        return 130


def variables() -> dict[str, str]:
    """The environment of a command. Where no bytecode may be written beside the sources, it is kept in ``.venv``.

    Otherwise each process of a test run would compile all modules anew, and rewrite the assertions of the tests.
    """
    kept = {name: value for name, value in os.environ.items() if name != 'PYTHONDONTWRITEBYTECODE'}
    if kept.keys() == os.environ.keys():
        return kept
    bytecode = VENV / 'bytecode'
    for folder in bytecode.joinpath(*Path(tempfile.gettempdir()).resolve().parts[1:]).glob('pytest-of-*'):
        shutil.rmtree(folder, ignore_errors=True)  # of modules that tests wrote
    return {**kept, 'PYTHONPYCACHEPREFIX': str(bytecode)}


def say(text: str) -> None:
    """Tell what happens, on stderr: stdout belongs to the command."""
    print(f'dev.py: {text}', file=sys.stderr, flush=True)


def newer_python() -> str | None:
    """Another Python on PATH that is new enough, where this one is not."""
    return next(filter(None, map(shutil.which, NEWER_PYTHONS)), None)


if __name__ == '__main__':
    if sys.version_info < OLDEST:
        other = newer_python()
        if other is None:
            sys.exit(f'dev.py: genflow needs Python 3.10 or newer; {sys.executable} is {sys.version.split()[0]}.')
        os.execv(other, [other, *sys.argv])  # noqa: S606 (no shell is wanted)
    sys.exit(main(sys.argv[1:]))
