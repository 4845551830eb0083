"""What becomes of commands whose output is closed, full, never read, or in an old encoding."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading

import pytest

from genflow.tools.cli.streams import MessageFile, message_stream
from tests.tools.processes import ROOT, TIMEOUT

FLOW = """
from genflow import Activity, Workflow, activity, workflow

@activity(name='Say', version=1, task_list='t')
class Say(Activity):
    def run(self, text):
        print(text)
        return text

@workflow(name='Flow', version=1, task_list='t')
class Flow(Workflow):
    say = Say.proxy()

    def run(self, text, times=1):
        for _ in range(times):
            yield self.say(text)
        return text
"""


@pytest.fixture
def shell(tmp_path):
    """Runs a line of shell in a folder with a workflow, where ``$genflow`` is the command."""
    (tmp_path / 'flow.py').write_text(FLOW, encoding='utf-8')

    def run(line, **environment):
        whole = {**os.environ, 'PYTHONPATH': str(ROOT), 'genflow': f'{sys.executable} -m genflow', **environment}
        return subprocess.run(
            ['/bin/bash', '-c', line], cwd=tmp_path, env=whole, capture_output=True, timeout=TIMEOUT, check=False
        )

    return run


@pytest.fixture
def terminal():
    """The two ends of a terminal: that of the person, and that of the program."""
    master, slave = os.openpty()
    yield master, slave
    os.close(slave)
    os.close(master)


@pytest.mark.thorough
@pytest.mark.parametrize('gone', ['2>&-', '2>/dev/full'])
def test_a_run_whose_messages_cannot_be_written_gives_its_result(shell, gone):
    done = shell(f'$genflow run flow.py hello {gone}')
    assert (done.returncode, done.stdout) == (0, b'"hello"\n')


@pytest.mark.thorough
def test_a_run_whose_messages_nobody_reads_gives_its_result(shell):
    text = 'x' * 20_000  # each activity prints it, and no pipe holds so much
    done = shell(f'mkfifo pipe; exec 3<>pipe; $genflow run flow.py {text} 20 2>&3')
    assert (done.returncode, json.loads(done.stdout)) == (0, text)


@pytest.mark.thorough
def test_a_run_on_a_terminal_that_nobody_reads_gives_its_result(shell, terminal):
    text = 'x' * 20_000  # each activity prints it, and no terminal holds so much
    _, slave = terminal
    done = shell(f'$genflow run flow.py {text} 20 2>{os.ttyname(slave)}', TERM='xterm')
    assert (done.returncode, json.loads(done.stdout)) == (0, text)


@pytest.mark.thorough
@pytest.mark.parametrize('gone', ['>&-', '>/dev/full'])
def test_a_result_that_cannot_be_written_says_how_to_get_it(shell, gone):
    done = shell(f'$genflow run -q --db x.db --id a flow.py hello {gone}')
    assert done.returncode == 1
    assert '`genflow result a --db x.db` prints it' in done.stderr.decode()
    assert shell('$genflow result a --db x.db').stdout == b'"hello"\n'


@pytest.mark.thorough
@pytest.mark.parametrize('gone', ['>&-', '>/dev/full'])
def test_ids_that_cannot_be_written_are_in_the_message(shell, gone):
    shell('$genflow run -q --db x.db --id a flow.py hello')
    done = shell(f'$genflow start Flow 1 hello --id b --task-list t --db x.db {gone}')
    assert done.returncode == 1
    assert 'The execution has started; its id is b ' in done.stderr.decode()


@pytest.mark.thorough
@pytest.mark.parametrize('command', ['--help', 'lint flow.py', 'explore flow.py hello --budget 1', 'version'])
@pytest.mark.parametrize('gone', ['>&-', '>/dev/full'])
def test_output_that_cannot_be_written_is_one_sentence(shell, command, gone):
    done = shell(f'$genflow {command} {gone}')
    assert done.returncode == 1
    assert done.stderr.decode().startswith('Error: the output cannot be written to stdout (')
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.thorough
def test_a_closed_stderr_does_not_write_into_the_file(shell):
    done = shell('$genflow run --db x.db --id a flow.py hello 2>&- >&-')
    assert done.returncode == 1
    assert shell('$genflow result a --db x.db').stdout == b'"hello"\n'


@pytest.mark.thorough
def test_who_reads_no_further_sees_no_error(shell):
    shell('$genflow run -q --db x.db --id a flow.py hello 9')
    done = shell('$genflow history a --db x.db | head -1')
    assert done.stdout.count(b'\n') == 1
    assert done.stderr == b''


@pytest.mark.thorough
@pytest.mark.parametrize('locale', [{'LC_ALL': 'C'}, {'LC_ALL': 'C', 'PYTHONUTF8': '0', 'PYTHONCOERCECLOCALE': '0'}])
def test_arguments_are_utf_8_in_any_locale(shell, locale):
    assert shell('$genflow run -q --db x.db --id a flow.py "Zoë"', **locale).returncode == 0
    assert json.loads(shell('$genflow result a --db x.db', PYTHONUTF8='1').stdout) == 'Zoë'
    assert shell('$genflow run -q "Zoë.py" x', **locale).returncode == 2
    shell('cp flow.py "Zoë.py"')
    assert shell('$genflow run -q "Zoë.py" --db "Zoë.db" x', **locale).returncode == 0
    assert shell('test -f "Zoë.db"').returncode == 0


@pytest.mark.thorough
def test_a_result_is_printed_in_an_encoding_that_does_not_have_it(shell):
    done = shell('$genflow run flow.py "Zoë"', PYTHONIOENCODING='ascii')
    assert done.returncode == 0
    assert json.loads(done.stdout.replace(b'\\xeb', b'\\u00eb')) == 'Zoë'


def test_an_argument_that_is_no_utf_8_is_refused(shell):
    done = shell("$genflow run flow.py $'\\xff'")
    assert done.returncode == 2
    assert b'is not valid UTF-8' in done.stderr


def test_messages_are_dropped_while_a_pipe_is_full_and_come_again_when_it_is_read():
    read, write = os.pipe()
    os.set_blocking(read, False)
    with io.FileIO(read) as reader:
        file = MessageFile(write, stall=0)
        assert file.write(b'x' * 10_000_000) == 10_000_000
        held = reader.read(10_000_000)
        assert 0 < len(held) < 10_000_000
        file.write(b'again')
        assert reader.read(1000) == b'\ngenflow: messages were dropped here because nobody read them\nagain'
    assert file.write(b'nobody') == 6  # the reader is gone: dropped, and no error
    os.close(write)


def test_messages_to_a_terminal_that_nobody_reads_are_dropped(terminal):
    master, slave = terminal
    file = MessageFile(slave, stall=0)
    line = b'x' * 1000 + b'\n'

    def write_much():
        for _ in range(300):
            assert file.write(line) == len(line)

    writer = threading.Thread(target=write_much, daemon=True)
    writer.start()
    writer.join(TIMEOUT)
    assert not writer.is_alive()  # else it blocks for ever
    seen = b''
    while b'again' not in seen:  # either there is room for it, or something to read
        file.write(b'again')
        seen += os.read(master, 100_000)
    assert b'genflow: messages were dropped here' in seen
    assert os.get_blocking(slave)  # which other programs share
    file.close()
    os.write(slave, b'it is still open')


def test_a_stream_that_was_never_there_takes_everything():
    stream = message_stream(None)
    print('text', file=stream, flush=True)
    assert not stream.isatty()
