"""Whatever is typed, no command ends in a traceback; and what a command says is safe to print."""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genflow.__main__ import main as genflow_main
from genflow.local import LocalSWF
from genflow.tools.cli.main import COMMANDS, main
from genflow.tools.text.terminal_text import escape_controls, escape_line
from tests.profile import examples

ALLOWED = {0, 2, 3, 5, 6, 7, 8}

LONG = 'x' * 300

NASTY = [
    '',
    ' ',
    '\n',
    '\t',
    '\x1b[31mred',
    '\x7f',
    '\u202eabc',
    'x' * 300,
    'x' * 5000,
    '-1',
    '-1.5',
    '-x',
    '--',
    '--no-such-option',
    '-',
    '.',
    '..',
    '/',
    'nan',
    'inf',
    'a:b',
    'a|b',
    'arn',
    'ümlaut',
    '\U0001f600',
    'HTTP://127.0.0.1:1',
    '/dev/null',
    '\udcff',
    'localhost:4567',
    'http://',
    'http://[',
    'http://a b',
    'http://x:99999',
    '[1,',
    '{"a": 1}',
    '9' * 400,
    '[' * 2000,
    "'; DROP TABLE--",
]


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with files of every kind that a path may lead to, made the current one."""
    folder = tmp_path_factory.mktemp('door')
    with LocalSWF(folder / 'good.db') as service:
        service.register_domain(name='genflow', workflowExecutionRetentionPeriodInDays='7')
    (folder / 'text.db').write_text('no database', encoding='utf-8')
    (folder / 'empty.db').touch()
    (folder / 'cut.db').write_bytes((folder / 'good.db').read_bytes()[:5000])
    with contextlib.closing(sqlite3.connect(folder / 'foreign.db')) as other, other:
        other.execute('CREATE TABLE mine (a)')
    (folder / 'folder.db').mkdir()
    (folder / 'dangling.db').symlink_to('nothing/at/all')
    (folder / 'bytes.py').write_bytes(b'\xff\xfe')
    (folder / 'syntax.py').write_text('def', encoding='utf-8')
    (folder / 'raises.py').write_text('raise SystemExit(7)', encoding='utf-8')
    (folder / 'nothing.py').touch()
    before = os.getcwd()  # noqa: PTH109 - to go back to
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.fixture(scope='module', autouse=True)
def _unconfigured():
    """No AWS anywhere, and nobody is asked for it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith('AWS_')]:
            patch.delenv(name)
        patch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
        patch.setenv('HOME', '/nonexistent')
        yield


def genflow(*arguments):
    """Exit code, stdout and stderr of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return code, out.getvalue(), err.getvalue()


FILES = ['good.db', 'text.db', 'cut.db', 'foreign.db', 'folder.db', 'dangling.db', 'missing.db', 'no/such/folder.db']
CODE = ['bytes.py', 'syntax.py', 'raises.py', 'nothing.py', 'missing.py', 'folder.db']
WORDS = st.sampled_from([*NASTY, *FILES, *CODE]) | st.text(
    st.characters(exclude_characters='\0', exclude_categories=()), max_size=20
)
ENDLESS = {'server', 'worker'}  # with arguments that are right, they go on until they are told to stop
FORMS = [
    ['run', None],
    ['run', None, None],
    ['run', 'nothing.py', '--db', None],
    ['run', 'nothing.py', '--id', None],
    ['run', '--activities', None, 'nothing.py'],
    ['list', '--db', None],
    ['list', '--db', 'good.db', '--domain', None],
    ['list', '--endpoint', None],
    ['history', None, '--db', 'good.db'],
    ['history', None, '--db', 'good.db', '--run-id', None],
    ['result', None, '--db', 'good.db', '--timeout', '0'],
    ['result', 'x', '--db', 'good.db', '--timeout', None],
    ['signal', None, None, None, '--db', 'good.db'],
    ['cancel', None, '--db', 'good.db'],
    ['terminate', None, '--db', 'good.db', '--reason', None],
    ['start', None, None, None, '--db', 'good.db'],
    ['start', 'a', '1', '--db', 'good.db', '--id', None, '--tag', None],
    ['start', 'a', '1', '--db', 'good.db', '--kwarg', None],
    ['replay', None, None],
    ['activity', 'complete', None, None, '--db', 'good.db'],
    ['activity', 'fail', None, None, '--db', 'good.db'],
    ['activity', 'heartbeat', None, None, '--db', 'good.db'],
    ['domain', 'register', None, '--db', 'good.db'],
    ['domain', None],
    ['db', 'info', None],
    ['db', 'vacuum', None],
    ['db', 'export', None],
    ['db', 'export', 'good.db', '-o', None],
    ['db', 'import', None, None],
    ['db', None],
    ['completion', None],
    ['version', None],
    ['server', '--db', None, '--port', '99999'],
    ['server', '--long-poll', None, '--port', '99999'],
    ['worker', None, '--domain', None, '--task-list', None, '--db', 'folder.db'],
    ['worker', 'nothing.py', '--domain', 'd', '--task-list', 't', '--endpoint', None],
    ['worker', 'nothing.py', '--domain', 'd', '--task-list', 't', '--drain', None, '--db', 'folder.db'],
    ['lint', None],
    ['why', '--file', None],
    ['graph', 'x', '--db', 'good.db', '-o', None],
    ['db', 'backup', 'good.db', None],
    ['db', 'backup', None, 'copy.db'],
    [None],
    [None, None],
]


@pytest.mark.thorough
@pytest.mark.parametrize('form', FORMS, ids=lambda form: ' '.join('…' if word is None else word for word in form))
@given(data=st.data())
@settings(max_examples=examples(60, 300), deadline=None)
def test_no_command_ends_in_a_traceback(folder, form, data):
    words = [word if word is not None else data.draw(WORDS) for word in form]
    if words[0] in ENDLESS and (form[0] is None or any(word.lower().startswith('http://127') for word in words)):
        return  # it would go on, or go on trying
    if words[0] == 'lint' and any(word not in FILES and os.path.isdir(word) for word in words):  # noqa: PTH112 - any text
        return  # it would read all Python on this disk
    code, _, err = genflow(*words)
    assert code in ALLOWED, (words, err)
    if 'does not import' not in err:  # the user's own traceback is theirs to see
        assert 'Traceback' not in err, words
    if code in {2, 5}:
        assert err.rstrip().splitlines()[-1].strip(), words
        assert not any(letter in err for letter in '\x1b\x7f\u202e'), words


@pytest.mark.parametrize('name', FILES[1:-1])
def test_a_file_that_cannot_be_used_is_named(folder, name):
    if name == 'missing.db':
        (folder / name).unlink(missing_ok=True)  # an export of another test may have made it
    code, _, err = genflow('list', '--db', name)
    assert code == 2
    assert name in err
    assert len(err.strip().splitlines()[-1]) < 500


@pytest.mark.parametrize(
    'arguments',
    [
        ['list', '--db'],
        ['list', '--read-only', '--db'],
        ['db', 'info'],
        ['db', 'export'],
        ['db', 'vacuum'],
        ['server', '--port', '0', '--db'],
    ],
    ids=' '.join,
)
def test_a_pipe_is_no_file(folder, arguments):
    """Who opened it would wait for ever."""
    if not (folder / 'pipe').exists():
        os.mkfifo(folder / 'pipe')
    code, _, err = genflow(*arguments, 'pipe')
    assert code == 2
    assert 'pipe is a device, a pipe or a socket: name another file' in err


@pytest.mark.parametrize(
    'arguments',
    [
        ['run', 'flow.py'],
        ['run', 'flow'],
        ['lint', 'flow.py'],
        ['dev', 'flow.py', '--no-ui'],
        ['dev', 'flow', '--no-ui'],
        ['explore', 'flow'],
        ['why', 'x', '--db', 'x.db'],
    ],
    ids=' '.join,
)
def test_a_folder_that_was_deleted_is_named(tmp_path, monkeypatch, arguments):
    (tmp_path / 'gone').mkdir()
    monkeypatch.chdir(tmp_path / 'gone')
    (tmp_path / 'gone').rmdir()
    code, _, err = genflow(*arguments)
    assert code == 2
    assert 'Traceback' not in err
    assert 'a folder that was deleted' in err or 'does not exist' in err or 'no such file' in err


def test_the_nearest_command_is_offered():
    code, _, err = genflow('histroy')
    assert code == 2
    assert "There is no command 'histroy'. Did you mean 'history'?" in err


def test_each_command_is_near_to_itself_without_a_letter():
    for name in COMMANDS:
        if len(name) > 3:
            assert f'Did you mean {name!r}?' in genflow(name[:-1])[2]


def test_an_interrupt_before_a_command_has_begun_shows_no_traceback(monkeypatch, capsys):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr('genflow.tools.cli.main.entry', interrupt)
    assert genflow_main() == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_the_version_names_python_and_the_packages():
    code, out, _ = genflow('version')
    assert code == 0
    assert out.startswith('genflow ')
    assert f'Python {platform.python_version()} ' in out


@pytest.mark.parametrize('shell', ['zsh', 'fish'])
def test_a_completion_calls_the_command(shell):
    code, out, _ = genflow('completion', shell)
    assert code == 0
    assert f'_GENFLOW_COMPLETE={shell}_complete' in out


@pytest.mark.thorough
def test_without_any_service_the_two_ways_to_name_one_are_shown():
    code, _, err = genflow('list')
    assert code == 2
    assert '--db FILE' in err
    assert '--endpoint URL' in err


def test_an_endpoint_without_a_scheme_is_offered_one():
    code, _, err = genflow('list', '--endpoint', 'localhost:4567')
    assert code == 2
    assert "write 'http://localhost:4567'" in err


@pytest.mark.thorough
def test_a_password_is_no_part_of_an_endpoint():
    code, _, err = genflow('list', '--endpoint', 'http://me:secret@127.0.0.1:1')
    assert code == 2
    assert 'secret' not in err
    assert 'credentials are configured for boto3' in err


@pytest.mark.parametrize('path', ['/proc/self/mem', '/dev/zero'])
@pytest.mark.parametrize('command', ['why', 'timeline', 'history', 'debug'])
def test_a_history_that_cannot_be_read_is_named(command, path):
    if not os.path.exists(path):  # noqa: PTH110 - there is none on this system
        pytest.skip(path)
    code, _, err = genflow(command, 'x', '--file', path)
    assert code == 2
    assert path in err.splitlines()[-1]


@pytest.mark.parametrize('scheme', ['http', 'HTTP'])
def test_an_endpoint_that_nobody_answers_at_is_no_wrong_usage(scheme):
    assert genflow('list', '--endpoint', f'{scheme}://127.0.0.1:1')[0] == 5


OUTPUTS = [
    ['db', 'export', 'good.db', '-o'],
    ['graph', '--file', 'history.json', '-o'],
    ['shadow', 'breaks.py', '--histories', 'history.json', '--junit'],
]
HISTORY = {
    'eventId': 1,
    'eventType': 'WorkflowExecutionStarted',
    'eventTimestamp': 1,
    'workflowExecutionStartedEventAttributes': {
        'childPolicy': 'TERMINATE',
        'taskList': {'name': 't'},
        'workflowType': {'name': 'Breaks', 'version': '1'},
        'parentInitiatedEventId': 0,
    },
}
BREAKS = """
from genflow import Workflow, workflow

@workflow(name='Breaks', version=1, task_list='t')
class Breaks(Workflow):
    def run(self):
        raise ValueError('broken')
        yield
"""


@pytest.mark.parametrize('command', OUTPUTS, ids=lambda command: command[0])
@pytest.mark.parametrize('path', ['/dev/full', 'good.db/x', LONG], ids=['full', 'below a file', 'too long'])
def test_a_file_that_cannot_be_written_is_named(folder, command, path):
    (folder / 'breaks.py').write_text(BREAKS, encoding='utf-8')
    (folder / 'history.json').write_text(json.dumps({'events': [HISTORY]}), encoding='utf-8')
    code, _, err = genflow(*command, path)
    assert code == 2, err
    assert 'Traceback' not in err
    assert path in err


@pytest.mark.parametrize(
    'command',
    [
        ['db', 'export', 'good.db', '-o', 'good.db'],
        ['db', 'export', 'good.db', '-o', 'link.db'],
        ['graph', '--file', 'history.json', '-o', 'good.db'],
        ['worker', 'breaks.py', '--domain', 'd', '--task-list', 't', '--db', 'good.db', '--records', 'good.db'],
    ],
    ids=' '.join,
)
def test_no_text_is_written_over_a_database(folder, command):
    (folder / 'breaks.py').write_text(BREAKS, encoding='utf-8')
    (folder / 'history.json').write_text(json.dumps({'events': [HISTORY]}), encoding='utf-8')
    (folder / 'link.db').unlink(missing_ok=True)
    (folder / 'link.db').symlink_to('good.db')
    code, _, err = genflow(*command)
    assert code == 2
    assert f'{command[-1]!r} is a database, and would be overwritten' in err
    with contextlib.closing(sqlite3.connect(folder / 'good.db')) as database:
        assert database.execute('PRAGMA quick_check').fetchall() == [('ok',)]


def test_a_history_that_is_nested_too_deep_is_refused(folder):
    (folder / 'deep.json').write_text('[' * 100_000, encoding='utf-8')
    for command in (['why', '--file'], ['graph', '--file'], ['db', 'import', 'new.db']):
        code, _, err = genflow(*command, 'deep.json')
        assert code == 2
        assert 'deep.json is not a history: its JSON is nested too deep' in err


@pytest.mark.parametrize(
    'url', ['http://a..b', f'http://{"a" * 64}', 'http://-a', 'http://[::1::2]', 'http://my_service']
)
def test_a_host_that_no_client_takes_is_refused(url):
    code, _, err = genflow('list', '--endpoint', url)
    assert code == 2
    assert f'{url!r} is not the address of a service' in err


@pytest.mark.parametrize(
    'arguments', [['lint', 'x' * 300], ['lint', '/dev/zero'], ['dev', 'x' * 300 + '.py'], ['init', 'x' * 300]]
)
def test_a_name_that_no_file_of_code_can_have_is_refused(folder, arguments):
    code, _, err = genflow(*arguments)
    assert code == 2
    assert LONG in err or '/dev/zero' in err
    assert 'Traceback' not in err


def test_a_file_with_relative_imports_is_to_be_named_as_a_module(folder):
    (folder / 'shop' / 'flows').mkdir(parents=True)
    for name in ('shop/__init__.py', 'shop/flows/__init__.py'):
        (folder / name).touch()
    (folder / 'shop/flows/order.py').write_text('from . import nothing', encoding='utf-8')
    (folder / 'alone.py').write_text('from . import nothing', encoding='utf-8')
    code, _, err = genflow('run', 'shop/flows/order.py')
    assert code == 2
    assert err.rstrip().endswith(f'name the module instead, in {folder}: shop.flows.order')
    assert 'give its folder an __init__.py' in genflow('run', 'alone.py')[2]


def test_a_file_of_a_package_that_is_not_installed_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'path', [entry for entry in sys.path if entry])
    package = tmp_path / 'uninstalled_shop'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / 'order.py').write_text('import uninstalled_shop.steps\n')
    assert main(['run', str(package / 'order.py')]) == 2
    err = capsys.readouterr().err
    assert 'part of the package uninstalled_shop, which is not installed: run `pip install -e .`' in err
    assert err.rstrip().endswith(f'in {tmp_path}, or name the module there: uninstalled_shop.order')


def test_an_empty_workflow_id_is_refused(folder):
    for arguments in (['start', 'a', '1', '--id', '', '--db', 'good.db'], ['run', 'nothing.py', '--id', '']):
        code, _, err = genflow(*arguments)
        assert code == 2
        assert 'a workflow id has 1 to 256 characters; this one has 0' in err


def test_control_characters_are_escaped_as_json_escapes_them():
    assert escape_controls('a\x1b[31m\tb\nc\x7f\u202e') == 'a\\u001b[31m\tb\nc\\u007f\\u202e'
    assert escape_line('a\tb\n') == 'a\\u0009b\\u000a'
    assert escape_line('\U000e0001') == '\\udb40\\udc01'
    assert escape_line('naïve 😀 क्\u200dष') == 'naïve 😀 क्\u200dष'


HEAVY = {'asyncio', 'botocore', 'boto3', 'ssl', 'urllib3', 'rich', 'genflow.core.engine.execution',
         'genflow.local.engine.service', 'genflow.swf.worker.worker'}  # fmt: skip
"""What costs a help page more than all that it shows; a command loads it when it runs."""

LOADED = """
import contextlib, io, sys
from genflow.tools.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:])
print(*sys.modules)
"""

ENGINES = {'worker', 'why', 'show', 'timeline', 'graph', 'rerun', 'repair', 'debug', 'replay', 'shadow', 'explore'}
ENGINES |= {'types', 'doctor', 'ui'}
"""Commands whose modules stand on the engine; none of them is typed as often as the others."""


@pytest.mark.thorough
@pytest.mark.parametrize('name', [None, *(name for name in COMMANDS if name not in ENGINES)])
def test_a_help_page_loads_little(name):
    words = [sys.executable, '-c', LOADED, *([] if name is None else [name]), '--help']
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert HEAVY & modules == set()
    assert len(modules) < (180 if name is None else 300)
