"""Every recipe runs, with the real framework, the embedded service and a worker."""

from __future__ import annotations

import asyncio
import configparser
import importlib
import io
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from genflow import Client
from genflow.local import LocalSWF
from genflow.swf.worker import Worker
from genflow.testing import run_activity
from tests.processes import Process

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ROOT / 'examples' / 'recipes'
PATIENCE = 60


@pytest.fixture
def recipe(monkeypatch):
    """Imports a recipe by its name; after the test, the module and what it did to the logging are gone."""
    monkeypatch.syspath_prepend(str(RECIPES))
    before, root = set(sys.modules), logging.getLogger()
    level, handlers = root.level, root.handlers[:]

    yield importlib.import_module

    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], '__file__', None) and str(RECIPES) in str(sys.modules[name].__file__):
            del sys.modules[name]
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def service():
    with LocalSWF() as service:
        service.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
        yield service


@pytest.fixture
def file(tmp_path):
    """A file with the domain, for recipes that take their service from the environment."""
    path = tmp_path / 'shop.db'
    with LocalSWF(path) as service:
        service.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='1')
    return path


@pytest.mark.thorough
def test_fastapi_waits_without_blocking_its_loop(recipe, service):
    httpx = pytest.importorskip('httpx')
    pytest.importorskip('fastapi')
    shop, module = recipe('shop'), recipe('fastapi_app')

    async def scenario():
        app = module.create_app(service)
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url='http://x') as web:
            assert (await web.get('/orders/7')).status_code == 404
            assert (await web.put('/orders/7')).json() == (await web.put('/orders/7')).json() == {'id': 'order-7'}
            waiting = asyncio.create_task(web.get('/orders/7/receipt', params={'wait': PATIENCE}))
            assert (await web.get('/orders/7')).json() == {'state': 'waits for approval'}
            assert (await web.get('/orders/7/receipt', params={'wait': 0})).status_code == 503
            assert not waiting.done()
            await web.post('/orders/7/approval')
            return (await waiting).json()

    with Worker('shop', 'orders', service, registry=[shop.Order, shop.charge]):
        assert asyncio.run(scenario()) == {'receipt': 'receipt 7'}


@pytest.mark.thorough
def test_django_starts_on_commit_and_works_with_the_orm(recipe, file, tmp_path, monkeypatch):
    django = pytest.importorskip('django')
    monkeypatch.setenv('DJANGO_SETTINGS_MODULE', 'django_shop.settings')
    monkeypatch.setenv('DJANGO_DB', str(tmp_path / 'db.sqlite3'))
    monkeypatch.setenv('ORDERS_SERVICE', str(file))
    recipe('django_shop')
    django.setup()
    management, test = importlib.import_module('django.core.management'), importlib.import_module('django.test')
    management.call_command('migrate', run_syncdb=True, verbosity=0)
    models, workflows = recipe('django_shop.models'), recipe('django_shop.workflows')
    with workflows.client() as client:
        client.register(workflows.Buy)
        with test.override_settings(ALLOWED_HOSTS=['testserver']):
            web = test.Client()
            with pytest.raises(ValueError, match='nothing to buy'):
                web.post('/purchases/', {'item': 'nothing'})
            key = web.post('/purchases/', {'item': 'tea'}).json()['id']
        (execution,) = client.executions(workflow=workflows.Buy)
    management.call_command('genflow_worker', max_tasks=3)
    with Client('shop', file) as client:
        receipt = client.execution(execution.workflow_id, workflow=workflows.Buy).result(PATIENCE)
    assert receipt == models.Purchase.objects.get().receipt
    assert receipt.startswith(f'receipt {key}, ')


@pytest.mark.thorough
def test_gunicorn_makes_a_client_in_each_of_its_processes(recipe, file, tmp_path):
    pytest.importorskip('gunicorn')
    httpx = pytest.importorskip('httpx')
    shop, socket = recipe('shop'), tmp_path / 'socket'
    command = [sys.executable, '-m', 'gunicorn', '-c', 'gunicorn_conf.py', '-b', f'unix:{socket}', 'wsgi_app']
    variables = {**os.environ, 'ORDERS_SERVICE': str(file), 'PYTHONPATH': str(ROOT)}
    with Client('shop', file) as client:
        client.register(shop.Order)
        with Process(command, cwd=RECIPES, env=variables, stderr=subprocess.PIPE, text=True) as server:
            try:
                said = [next(server.stderr)]
                while sum('Booting worker' in line for line in said) < 2:
                    said.append(next(server.stderr))
                with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket), retries=3), timeout=PATIENCE) as web:
                    answers = [web.get(f'http://shop/orders/{number}').json() for number in (1, 2, 1)]
            finally:
                server.terminate()
                server.communicate(timeout=PATIENCE)
        assert [answer['id'] for answer in answers] == ['order-1', 'order-2', 'order-1']
        assert server.pid not in {answer['process'] for answer in answers}
        assert {execution.workflow_id for execution in client.executions(open=True)} == {'order-1', 'order-2'}


@pytest.mark.thorough
def test_celery_starts_a_workflow_and_does_the_work_of_an_activity(recipe, file, monkeypatch):
    celery_worker = pytest.importorskip('celery.contrib.testing.worker')
    monkeypatch.setenv('ORDERS_SERVICE', str(file))
    monkeypatch.setenv('CELERY_BROKER', 'memory://')
    module = recipe('celery_app')
    module.app.conf.result_backend = 'cache+memory://'
    types = [module.Invoice, module.render_invoice]
    with (
        celery_worker.start_worker(module.app, perform_ping_check=False, pool='threads', loglevel='error'),
        module.client() as client,
        Worker('shop', 'invoices', file, registry=types),
    ):
        client.register(*types)
        module.start_invoice.delay(7).get(timeout=PATIENCE)
        execution = client.execution('invoice-7', workflow=module.Invoice)
        assert execution.result(PATIENCE) == 'invoice 7'


@pytest.mark.thorough
def test_cells_of_a_notebook_may_be_run_again():
    """Twice each, while an event loop runs in the thread, as in Jupyter."""
    cells = re.split(r'^# %%.*$', (RECIPES / 'notebook.py').read_text(encoding='utf-8'), flags=re.MULTILINE)[1:]
    names = {'__name__': '__main__'}

    async def notebook():
        for cell in cells:
            for _ in range(2):
                exec(compile(cell, 'notebook.py', 'exec'), names)  # noqa: S102 - the recipe itself

    asyncio.run(notebook())
    assert names['squares'] == [0, 1, 4, 9]
    assert names['tester'].result() == [100, 101]
    names['tester'].close()


@pytest.mark.thorough
def test_the_tests_of_an_application_pass():
    pytest.importorskip('moto')
    pytest.importorskip('freezegun')
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--rootdir', '.', 'test_orders.py']
    variables = {**os.environ, 'PYTHONPATH': os.pathsep.join([str(ROOT), str(RECIPES)])}
    done = subprocess.run(command, cwd=RECIPES, env=variables, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '4 passed' in done.stdout


def test_log_lines_say_which_task_they_are_about(recipe, service):
    stream = io.StringIO()
    shop, module = recipe('shop'), recipe('logging_setup')
    module.set_up()
    logging.getLogger().handlers[-1].setStream(stream)
    with Worker('shop', 'orders', service, registry=[shop.Order, shop.charge]), Client('shop', service) as client:
        client.register(shop.Order)
        execution = client.starter(shop.Order, workflow_id='order-7')(7)
        execution.signal(shop.Order.approval, True)
        assert execution.result(PATIENCE) == 'receipt 7'
    for name in module.CONFIG['loggers']:
        logging.getLogger(name).setLevel(logging.NOTSET)
    (line,) = [json.loads(line) for line in stream.getvalue().splitlines() if 'charging' in line]
    assert (line['workflow_id'], line['attempt'], line['message']) == ('order-7', 1, 'charging order 7')
    assert line['logger'] == 'genflow.activity.Charge'
    assert run_activity(shop.charge, 7).result == 'receipt 7'


def options_of(command):
    """The options of a genflow command, from its own help."""
    words = [sys.executable, '-m', 'genflow', command, '--help']
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return set(re.findall(r'--[a-z][a-z-]*', done.stdout))


@pytest.mark.thorough
def test_systemd_accepts_the_unit(tmp_path):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(RECIPES / 'genflow-worker.service')
    command = unit['Service']['ExecStart'].split()
    assert command[1:3] == ['worker', 'shop.py']
    assert {word for word in command if word.startswith('--')} <= options_of('worker')
    drain = int(command[command.index('--drain') + 1])
    assert drain < int(unit['Service']['TimeoutStopSec'])
    if shutil.which('systemd-analyze') is None:
        return
    text = (RECIPES / 'genflow-worker.service').read_text(encoding='utf-8')
    (tmp_path / 'genflow-worker.service').write_text(text.replace(command[0], '/bin/true'), encoding='utf-8')
    verify = ['systemd-analyze', 'verify', '--man=no', str(tmp_path / 'genflow-worker.service')]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=180)
    about_it = [line for line in done.stderr.splitlines() if 'genflow-worker.service' in line]
    assert about_it == []


@pytest.mark.thorough
def test_the_container_runs_commands_that_there_are():
    lines = (RECIPES / 'Dockerfile').read_text(encoding='utf-8').splitlines()
    words = dict(line.split(' ', 1) for line in lines if line and not line.startswith('#'))
    assert set(words) <= {'FROM', 'RUN', 'USER', 'WORKDIR', 'COPY', 'ENTRYPOINT', 'CMD'}
    entry, given = json.loads(words['ENTRYPOINT']), json.loads(words['CMD'])
    assert entry[:3] == ['genflow', 'worker', 'shop.py']
    assert (RECIPES / 'shop.py').is_file()
    assert {word for word in entry + given if word.startswith('--')} <= options_of('worker')

    yaml = pytest.importorskip('yaml')
    services = yaml.safe_load((RECIPES / 'compose.yaml').read_text(encoding='utf-8'))['services']
    assert services['swf']['entrypoint'][:2] == ['genflow', 'server']
    assert {word for word in services['swf']['entrypoint'] if word.startswith('--')} <= options_of('server')
    assert services['worker']['environment']['AWS_ENDPOINT_URL_SWF'] == 'http://swf:4567'
    assert services['worker']['environment']['AWS_PROFILE'] == 'team'
