"""Programs of several kinds on one file, as people write them: a web application, a test suite, two scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT = 60

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork')

ORDERS = """
from __future__ import annotations
from genflow import Activity, ActivityProxy, Steps, Workflow, activity, workflow

@activity(name='Charge', version=1, task_list='work', start_to_close=60)
class Charge(Activity):
    def run(self, number: int) -> str:
        return f'charged {number}'

@workflow(name='Order', version=1, task_list='work')
class Order(Workflow):
    charge = ActivityProxy(name='Charge', version=1)

    def run(self, number: int) -> Steps[str]:
        return (yield self.charge(number))
"""

WEB = """
import json, os, sys
from genflow import Client
from orders import Order

def handle(number):  # a request of the web application
    with Client('shop', 'x.db') as client:
        return client.starter(Order)(number).result(60)

pipes = []
for worker in range(4):  # prefork, as gunicorn does it: the application is loaded in each child
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        with os.fdopen(writer, 'w') as pipe:
            json.dump([handle(10 * worker + number) for number in range(3)], pipe)
        os._exit(0)
    os.close(writer)
    pipes.append(reader)
answers = [json.load(os.fdopen(reader)) for reader in pipes]
for _ in pipes:
    assert os.wait()[1] == 0
print(json.dumps(answers))
"""

SUITE = """
import pytest
from pathlib import Path
from genflow import Client
from genflow.local import LocalSWF
from orders import Order

@pytest.mark.parametrize('number', range(8))
def test_an_order(number):
    with Client('shop', Path('x.db')) as client:
        assert client.starter(Order)(number).result(60) == f'charged {number}'
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the code, and a worker process for it, which makes the domain and leads the file."""
    (tmp_path / 'orders.py').write_text(ORDERS)
    command = ['worker', 'orders.py', '--domain', 'shop', '--task-list', 'work', '--db', 'x.db']
    worker = started(tmp_path, '-m', 'genflow', *command)
    for line in worker.stderr:
        if 'working for domain shop' in line:
            break
    yield tmp_path
    worker.terminate()
    worker.communicate(timeout=TIMEOUT)


def started(folder, *arguments):
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{folder}'}
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    return subprocess.Popen([sys.executable, *arguments], cwd=folder, env=environment, **pipes)


def done(folder, *arguments):
    process = started(folder, *arguments)
    out, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, out + error
    return out


def test_a_web_application_with_four_prefork_workers(folder):
    (folder / 'web.py').write_text(WEB)
    answers = json.loads(done(folder, 'web.py'))
    assert answers == [[f'charged {10 * worker + number}' for number in range(3)] for worker in range(4)]


def test_a_test_suite_on_two_processes(folder):
    (folder / 'test_orders.py').write_text(SUITE)
    out = done(folder, '-m', 'pytest', '-n', '2', '-q', '-p', 'no:cacheprovider', 'test_orders.py')
    assert '8 passed' in out


def test_two_scripts(tmp_path):
    """Neither starts a server; each runs a workflow to its end on the same file."""
    (tmp_path / 'orders.py').write_text(ORDERS)
    script = textwrap.dedent("""
        import sys
        from genflow import run
        from orders import Order
        for number in map(int, sys.argv[1:]):
            print(run(Order, number, db='x.db'))
    """)
    (tmp_path / 'script.py').write_text(script)
    both = [started(tmp_path, 'script.py', *numbers) for numbers in ('123', '456')]
    outs = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    assert outs == ['charged 1\ncharged 2\ncharged 3\n', 'charged 4\ncharged 5\ncharged 6\n']


def test_two_scripts_that_share_a_task_list_and_not_their_code(tmp_path):
    """Neither keeps the tasks of the other; one that did would keep them until they time out, a minute each."""
    (tmp_path / 'orders.py').write_text(ORDERS)
    (tmp_path / 'others.py').write_text(ORDERS.replace('Order', 'Other').replace('Charge', 'Pay'))
    script = "import sys; from genflow import run; from {0} import {1}; print(run({1}, int(sys.argv[1]), db='x.db'))"
    both = [
        started(tmp_path, '-c', script.format(*names), number)
        for names, number in ((('orders', 'Order'), '1'), (('others', 'Other'), '2'))
    ]
    outs = [process.communicate(timeout=TIMEOUT)[0] for process in both]
    assert outs == ['charged 1\n', 'charged 2\n']
