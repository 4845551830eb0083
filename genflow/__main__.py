"""``genflow`` and ``python -m genflow``: the way into the command line, which needs the extra ``cli``."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ['main']

NEEDED = ('click', 'rich')


def main() -> int:
    """Run the command line, or say what to install; gives the exit code."""
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
