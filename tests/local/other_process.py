"""Another process with the same file, that does what a test tells it: ``python -m tests.local.other_process FILE``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from genflow.local import LocalSWF
from tests.local.domain import Domain
from tests.processes import Process


class OtherProcess:
    """Evaluates expressions about ``domain`` in a process of its own, and gives back what they give, through JSON."""

    def __init__(self, path, **options):
        command = [sys.executable, '-m', 'tests.local.other_process', str(path), json.dumps(options)]
        self.process = Process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        self.leads = self.read()

    def __call__(self, expression):
        self.send(expression)
        return self.read()

    def send(self, expression):
        self.process.stdin.write(f'{expression}\n')
        self.process.stdin.flush()

    def read(self):
        line = self.process.stdout.readline()
        assert line, 'the other process has ended'
        return json.loads(line)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def main(path, options):
    with LocalSWF(path, **json.loads(options)) as swf:
        say(swf.is_leader)
        domain = Domain(swf)
        for line in sys.stdin:
            say(eval(line, {'domain': domain}))  # noqa: S307 - of the test


def say(value):
    sys.stdout.write(json.dumps(value, default=str) + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    main(*sys.argv[1:])
