"""The HTTP front with clients other than boto3: the AWS CLI, boto 2.49 and the AWS SDK for JavaScript.

Run `python tests/clients/check.py` where PyPI and the npm registry can be reached; it installs the clients into a
temporary folder, which takes a minute, so it is no part of the test suite. Each client starts an execution, decides it
and meets an error, with requests that the server finds signed; a client that is not to be had is skipped and named.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from genflow.local import LocalSWF
from genflow.local.http.credentials import Secret
from genflow.local.http.server import HttpServer

HERE = Path(__file__).parent
DEFAULTS = {
    'defaultTaskList': {'name': 'list'},
    'defaultExecutionStartToCloseTimeout': '3600',
    'defaultTaskStartToCloseTimeout': '60',
    'defaultChildPolicy': 'TERMINATE',
}
COMPLETE = {
    'decisionType': 'CompleteWorkflowExecution',
    'completeWorkflowExecutionDecisionAttributes': {'result': 'done'},
}


class Unavailable(Exception):
    """The client cannot be installed here."""


def say(text: str) -> None:
    sys.stdout.write(f'{text}\n')


def run(*command: str | Path, **environment: str) -> str:
    """What the command prints.

    Raises:
        CalledProcessError: it failed; its output has been printed.
    """
    variables = {**os.environ, **environment, 'AWS_ACCESS_KEY_ID': 'any', 'AWS_SECRET_ACCESS_KEY': 'any'}
    done = subprocess.run([*map(str, command)], env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f'{done.stdout}\n{done.stderr}')
        done.check_returncode()
    return done.stdout


def install(*command: str | Path) -> None:
    try:
        run(*command)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable(str(error)) from error


def virtual_environment(folder: Path, *packages: str) -> Path:
    """The `bin` of a new environment with these packages."""
    run(sys.executable, '-m', 'venv', folder)
    install(folder / 'bin' / 'pip', 'install', '-q', *packages)
    return folder / 'bin'


def check_command_line(url: str, folder: Path) -> None:
    aws = virtual_environment(folder, 'awscli') / 'aws'

    def swf(*arguments: str) -> str:
        return run(aws, 'swf', *arguments, AWS_ENDPOINT_URL_SWF=url, AWS_DEFAULT_REGION='us-east-1')

    swf('start-workflow-execution', '--domain', 'd', '--workflow-id', 'cli', '--workflow-type', 'name=w,version=1')
    task = json.loads(swf('poll-for-decision-task', '--domain', 'd', '--task-list', 'name=list', '--output', 'json'))
    decisions = json.dumps([COMPLETE])
    swf('respond-decision-task-completed', '--task-token', task['taskToken'], '--decisions', decisions)


def check_boto2(url: str, folder: Path) -> None:
    python = virtual_environment(folder, 'boto==2.49.0', 'setuptools<81') / 'python'
    run(python, '-W', 'ignore', HERE / 'boto2.py', url)


def check_javascript(url: str, folder: Path) -> None:
    npm = shutil.which('npm')
    if npm is None:
        raise Unavailable('there is no npm')
    folder.mkdir()
    shutil.copy(HERE / 'sdk.mjs', folder)
    install(npm, 'install', '--silent', '--prefix', folder, '@aws-sdk/client-swf')
    run('node', folder / 'sdk.mjs', url)


CHECKS: dict[str, Callable[[str, Path], None]] = {
    'cli': check_command_line,
    'boto2': check_boto2,
    'javascript': check_javascript,
}


def main() -> None:
    with (
        LocalSWF(long_poll=2) as service,
        HttpServer(service, credentials={'any': Secret('any')}) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        service.register_domain(name='d', workflowExecutionRetentionPeriodInDays='1')
        service.register_workflow_type(domain='d', name='w', version='1', **DEFAULTS)
        for name, check in CHECKS.items():
            try:
                check(server.url, Path(folder) / name)
            except Unavailable as error:
                say(f'{name}: skipped, {error}')
                continue
            request = {'domain': 'd', 'startTimeFilter': {'oldestDate': 0}, 'executionFilter': {'workflowId': name}}
            (info,) = service.list_closed_workflow_executions(**request)['executionInfos']
            assert info['closeStatus'] == 'COMPLETED', info
            say(f'{name}: ok')


if __name__ == '__main__':
    main()
