"""``genflow`` and ``python -m genflow``: the way into the command line, which needs the extra ``cli``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ['main']

NEEDED = ('click', 'rich')

INTERRUPTED = 130
"""The exit code after Ctrl-C; the enumeration of all of them is loaded later."""


def main() -> int:
    """Run the command line, or say what to install; gives the exit code."""
    try:
        return _run()
    except KeyboardInterrupt:  # while modules are loaded, or once more while the first one is reported
        print('interrupted', file=sys.stderr)
        return INTERRUPTED


def _run() -> int:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(
            f'genflow: the command line needs {" and ".join(missing)}. Install the extra: pip install "genflow[cli]"',
            file=sys.stderr,
        )
        return 2
    from genflow.tools.cli.main import entry

    return entry()


if __name__ == '__main__':
    sys.exit(main())
