"""What commands load before they do anything, counted in modules: users wait for that at every one of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from genflow.tools.cli.main import COMMANDS

HEAVY = {'asyncio', 'boto3', 'botocore', 'jinja2', 'rich', 'sqlite3', 'ssl', 'starlette', 'urllib3', 'uvicorn'}
"""Packages that take a tenth of a second and more, or nearly."""

MOST = 217
"""Modules for the help of a command; the interpreter and click are 150 of them."""

HELLO = """
from genflow import Workflow, workflow

@workflow(name='Hello', version=1, task_list='hello')
class Hello(Workflow):
    def run(self):
        return 'hello'
        yield
"""

SAY = 'import sys; print(*sorted(sys.modules))'


def loaded(code, cwd):
    done = subprocess.run([sys.executable, '-c', code], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def after(arguments, cwd):
    """The modules of a process that has carried out a command."""
    told = f'import sys; sys.argv[1:] = {arguments!r}\nfrom genflow.__main__ import main'
    return loaded(f'{told}\ntry: main()\nexcept SystemExit: pass\n{SAY}', cwd)


@pytest.mark.thorough
@pytest.mark.parametrize('command', COMMANDS)
def test_help_loads_little(command, tmp_path):
    modules = after([command, '--help'], tmp_path)
    assert not HEAVY & modules
    assert len(modules) <= MOST


def test_genflow_loads_next_to_nothing(tmp_path):
    modules = loaded(f'import genflow; {SAY}', tmp_path)
    assert not HEAVY & modules
    assert sum(name.startswith('genflow') for name in modules) <= 3


@pytest.mark.thorough
def test_a_run_loads_no_client_of_aws(tmp_path):
    (tmp_path / 'hello.py').write_text(HELLO)
    modules = after(['run', '-q', 'hello.py'], tmp_path)
    assert HEAVY & modules <= {'sqlite3'}
    assert not {'genflow.swf.aws.page_requests', 'genflow.tools.cli.processes.supervisor'} & modules
    assert len(modules) <= 485


@pytest.mark.thorough
@pytest.mark.parametrize(('kind', 'is_loaded'), [('def', False), ('async def', True)])
def test_a_worker_with_a_coroutine_loads_asyncio_when_it_is_made(kind, is_loaded, tmp_path):
    """Later there are threads, and a fork during an import leaves a child that waits for it for ever."""
    modules = loaded(
        'from genflow import activity\nfrom genflow.local import LocalSWF\n'
        'from genflow.swf.worker.worker import Worker\n'
        f"@activity(name='A', version=1, task_list='l')\n{kind} step(): pass\n"
        f"Worker('d', 'l', LocalSWF(), registry=[step])\n{SAY}",
        tmp_path,
    )
    assert ('asyncio' in modules) is is_loaded


@pytest.mark.thorough
def test_the_embedded_service_needs_no_client_of_aws(tmp_path):
    modules = loaded(
        'from genflow.local import LocalSWF\nswf = LocalSWF()\n'
        f"swf.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')\n{SAY}",
        tmp_path,
    )
    assert HEAVY & modules <= {'sqlite3'}
