"""`genflow update`: call a method of an execution that a worker drives."""

from __future__ import annotations

import pytest

from genflow import Client, Signal, Workflow, update, workflow
from genflow.local import LocalSWF
from genflow.local.http.server import HttpServer
from genflow.swf.worker import Worker
from genflow.tools.cli.main import main


@workflow(name='Till', version='1', task_list='till')
class Till(Workflow):
    stop = Signal()

    def run(self):
        self.sum = 0
        yield self.stop.get()

    @update
    def add(self, amount: int, times: int = 1) -> int:
        self.sum += amount * times
        return self.sum

    @add.validator
    def positive(self, amount: int, times: int = 1) -> None:
        if amount < 0:
            raise ValueError('negative')


@pytest.fixture
def genflow(capsys):
    """Runs a command against a service with an execution and a worker; gives exit code, stdout and stderr."""
    with LocalSWF() as service, HttpServer(service) as server:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        worker = Worker('genflow', 'till', service, registry=[Till], activities=0)
        worker.start()
        Client('genflow', service).starter(Till, workflow_id='t', workflow_duration=600)()

        def run(*arguments):
            code = main([*arguments, '--endpoint', server.url])
            return code, *capsys.readouterr()

        try:
            yield run
        finally:
            worker.stop()
            worker.wait()


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        monkeypatch.setenv(name, 'any')
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'us-east-1')


@pytest.mark.thorough
def test_the_result_is_printed(genflow):
    assert genflow('update', 't', 'add', '5', '--kwarg', 'times=2')[:2] == (0, '10\n')
    assert genflow('update', 't', 'add', '1', '--id', 'once')[:2] == (0, '11\n')
    assert genflow('update', 't', 'add', '1', '--id', 'once')[:2] == (0, '11\n')


@pytest.mark.thorough
def test_a_refusal_is_exit_code_3(genflow):
    code, out, err = genflow('update', 't', 'add', '-5')
    assert (code, out) == (3, '')
    assert 'ValueError: negative' in err


def test_no_reply_in_time_is_exit_code_3(genflow):
    code, _, err = genflow('update', 't', 'add', '5', '--timeout', '0')
    assert code == 3 or (code, err) == (0, '')


def test_what_is_not_there_is_told_with_exit_code_2(genflow):
    code, _, err = genflow('update', 'nobody', 'add', '5')
    assert code == 2
    assert "there is no execution 'nobody'" in err


@pytest.mark.thorough
def test_a_file_that_a_worker_uses_is_shared_with_it(tmp_path, capsys):
    file = str(tmp_path / 'x.db')
    with LocalSWF(file) as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
        worker = Worker('genflow', 'till', service, registry=[Till], activities=0)
        worker.start()
        try:
            Client('genflow', service).starter(Till, workflow_id='t', workflow_duration=600)()
            assert main(['update', 't', 'add', '5', '--db', file]) == 0
        finally:
            worker.stop()
            worker.wait()
    assert capsys.readouterr().out == '5\n'


def test_a_file_that_is_not_there_is_reported(tmp_path, capsys):
    assert main(['update', 't', 'add', '--db', str(tmp_path / 'x.db')]) == 2
    assert 'there is no such file' in capsys.readouterr().err
