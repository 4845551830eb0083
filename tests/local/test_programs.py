"""Programs of several kinds on one file, as people write them: a web application, tests, a notebook, scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.processes import Process

ROOT = Path(__file__).parents[2]
TIMEOUT = 180

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
import json, os
from functools import cache
from genflow import Client
from orders import Order

@cache
def client():  # of each process, made by its first request
    return Client('shop', 'x.db')

def application(environ, start_response):
    number = int(environ['PATH_INFO'].strip('/'))
    result = client().starter(Order, workflow_id=f'order-{number}')(number).result(60)
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps([result, os.getpid()]).encode()]
"""

NOTEBOOK = """
from genflow import Client
from orders import Order
client = Client('shop', 'x.db')
execution = client.starter(Order, workflow_id='from-a-notebook')(7)
print('started', flush=True)
print(execution.result(60), client.execution('from-a-script').result(60), flush=True)
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


def started(folder, *arguments, stdin=None):
    environment = {**os.environ, 'PYTHONPATH': f'{ROOT}{os.pathsep}{folder}'}
    pipes = {'stdin': stdin, 'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'text': True}
    return Process([sys.executable, *arguments], cwd=folder, env=environment, **pipes)


def done(folder, *arguments):
    process = started(folder, *arguments)
    out, error = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, out + error
    return out


@pytest.mark.thorough
def test_a_web_application_of_gunicorn_with_four_processes(folder):
    """Handlers start executions and wait for their results; a worker process does the work."""
    pytest.importorskip('gunicorn')
    (folder / 'web.py').write_text(WEB)
    server = started(folder, '-m', 'gunicorn', '-w', '4', '-b', '127.0.0.1:0', 'web')
    try:
        lines = iter(server.stderr)
        address = next(line for line in lines if 'Listening at' in line).split()[-2]
        for _ in range(4):
            next(line for line in lines if 'Booting worker' in line)
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(partial(answer_of, address), range(12)))
    finally:
        server.terminate()
        server.communicate(timeout=TIMEOUT)
    assert [result for result, _ in answers] == [f'charged {number}' for number in range(12)]
    processes = {process for _, process in answers}
    assert len(processes) > 1
    assert server.pid not in processes


def answer_of(address, number):
    with urllib.request.urlopen(f'{address}/{number}', timeout=TIMEOUT) as answer:  # noqa: S310 - our own address
        return json.load(answer)


@pytest.mark.thorough
def test_a_notebook_and_a_script(folder):
    """An interpreter that keeps the file open between its cells, and a program that comes and goes."""
    notebook = started(folder, '-i', '-q', stdin=subprocess.PIPE)
    first, last = NOTEBOOK.rsplit('print', 1)
    notebook.stdin.write(first)
    notebook.stdin.flush()
    assert notebook.stdout.readline() == 'started\n'
    script = "from genflow import Client; from orders import Order; c = Client('shop', 'x.db'); "
    script += "print(c.execution('from-a-notebook').result(60)); c.starter(Order, workflow_id='from-a-script')(8)"
    assert done(folder, '-c', script) == 'charged 7\n'
    out, error = notebook.communicate(f'print{last}client.close()\n', timeout=TIMEOUT)
    assert out == 'charged 7 charged 8\n', error


@pytest.mark.thorough
def test_a_test_suite_on_two_processes(folder):
    (folder / 'test_orders.py').write_text(SUITE)
    out = done(folder, '-m', 'pytest', '-n', '2', '-q', '-p', 'no:cacheprovider', 'test_orders.py')
    assert '8 passed' in out


@pytest.mark.thorough
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


@pytest.mark.thorough
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
