"""What can be done from the dashboard: what a preview says, what came of it, and the command line for the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import contextmanager
from html import unescape
from urllib.parse import quote

import pytest

import genflow
from genflow import Signal, Workflow, update
from genflow.core.model.registry import Registry, WorkflowSpec
from genflow.insight import attributes_of
from genflow.insight.command_line import quoted
from genflow.local import LocalSWF, SystemClock
from genflow.swf.worker.worker import Worker
from genflow.tools.cli.main import cli
from genflow.tools.dashboard.app import application
from genflow.tools.dashboard.data.actions import ACTIONS, Target, Task
from genflow.tools.dashboard.data.source import Source
from genflow.tools.dashboard.security import Policy
from genflow.tools.dashboard.site import Site
from tests.insight.breaking import DOMAIN, OPEN, Approval, Environment, Plain
from tests.tools.dashboard import sites
from tests.tools.dashboard.sites import client_of, page_of, source_of


@pytest.fixture
def env():
    return Environment()


def on(env, name='w'):
    return f'{name}:{env.run_ids[name]}'


def do(env, action, **values):
    return client_of(env).post('/act', {'action': action, 'on': on(env), **values})


def last_event(env, name='w'):
    return env.gathered(name).view.events[-1]


@pytest.mark.parametrize(
    ('typed', 'sent'), [('true', 'true'), ('plain text', '"plain text"'), ('{"a": 1}', '{"a": 1}'), ('', 'null')]
)
def test_a_signal_is_sent_with_json_or_text(env, typed, sent):
    env.begin(Approval)
    answer = do(env, 'signal', name='approve', value=typed)
    assert answer.status_code == 303
    assert [(one.name, one.input) for one in env.gathered().view.signals] == [('approve', sent)]


def test_a_text_of_a_signal_whose_type_is_text_stays_one(env):
    env.begin(Approval)
    do(env, 'signal', name='approve', value='42', **{'as': 'text'})
    assert [one.input for one in env.gathered().view.signals] == ['"42"']


def test_what_was_typed_as_text_stays_so_on_the_page_before(env):
    env.begin(Approval)
    page = page_of(client_of(env), f'/act?action=signal&on={on(env)}&name=approve&value=42&as=text')
    assert ('as', 'text') in page.posted
    assert """genflow signal w approve '"42"'""" in page.text


class Counter(Workflow):
    word = Signal[str]()

    def run(self):
        self.total = 0
        return (yield self.word.get())

    @update
    def add(self, number: int):
        self.total += number
        return self.total

    @add.validator
    def check_add(self, number: int):
        if number < 0:
            raise ValueError('less than nothing')


COUNTER = WorkflowSpec(Counter, 'Counter', '1', 'tl')


@pytest.fixture
def counting():
    """A service with an open counter, its dashboard, and what posts to it."""
    with LocalSWF(clock=SystemClock(), long_poll=0.1) as service:
        service.register_domain(name=DOMAIN, workflowExecutionRetentionPeriodInDays='1')
        service.register_workflow_type(domain=DOMAIN, name='Counter', version='1')
        options = {'task_list': 'tl', 'decision_duration': 60, 'workflow_duration': 600, 'child_policy': 'TERMINATE'}
        client = genflow.Client(DOMAIN, service)
        started = client.starter('Counter', version='1', workflow_id='w', **options)()
        site = Site(Source(service, 'a service', DOMAIN, '', pace=0), Policy(may_write=True), COUNTER, True)
        target = f'w:{started.run_id}'
        yield service, sites.Client(application(site)), {'action': 'update', 'on': target, 'name': 'add'}


@contextmanager
def working(service):
    registry = Registry()
    registry.add(COUNTER)
    with Worker(DOMAIN, 'tl', service, registry=registry, register=False, activities=0):
        yield


@pytest.mark.parametrize(
    ('arguments', 'status', 'said'),
    [
        ('[5]', 303, ''),
        ('[-5]', 409, 'less than nothing'),
        ('5', 409, 'not a list in JSON'),
        ('[', 409, 'not a list in JSON'),
    ],
)
def test_an_update_is_called_and_what_is_refused_is_reported(counting, arguments, status, said):
    service, client, form = counting
    with working(service):
        answer = client.post('/act', {**form, 'arguments': arguments})
    assert (answer.status_code, said in answer.text) == (status, True)


def test_an_update_without_a_worker_is_sent_all_the_same(counting, monkeypatch):
    monkeypatch.setattr('genflow.tools.dashboard.data.actions.UPDATE_SECONDS', 0.01)
    service, client, form = counting
    answer = client.post('/act', {**form, 'on': [form['on'], 'w:nobody'], 'arguments': '[5]'})
    assert 'there is no reply yet' in answer.text
    history = genflow.Client(DOMAIN, service).execution('w').history()
    assert [event['eventType'] for event in history].count('WorkflowExecutionSignaled') == 1


def test_a_signal_whose_value_would_fail_the_workflow_is_not_sent(counting):
    service, client, form = counting
    signal = {'action': 'signal', 'on': form['on'], 'name': 'word', 'value': '5'}
    answer = client.post('/act', signal)
    assert answer.status_code == 409
    assert 'It was not sent: the value is no str' in unescape(answer.text)
    assert client.post('/act', {**signal, 'as': 'text'}).status_code == 303
    signals = [
        one for one in genflow.Client(DOMAIN, service).execution('w').history() if 'Signaled' in one['eventType']
    ]
    assert [attributes_of(one)['input'] for one in signals] == ['"5"']


def test_updates_and_signals_of_the_class_have_forms_that_post_them(counting):
    service, client, _ = counting
    with working(service):
        genflow.Client(DOMAIN, service).execution('w').update('add', 1, timeout=60)
    page = page_of(client, '/execution?id=w')
    assert ('action', 'update') in page.posted
    assert "(number: 'int')" in page.text
    assert ('as', 'text') in page.posted
    assert 'signal-undeclared' not in page.text  # an update is a signal of the engine's, which no class declares


def test_a_cancellation_is_requested(env):
    env.begin(Plain)
    do(env, 'cancel')
    assert env.gathered().view.cancel_requested


def test_a_termination_keeps_its_reason(env):
    env.begin(Plain)
    do(env, 'terminate', reason='a mistake')
    assert attributes_of(last_event(env))['reason'] == 'a mistake'


def test_a_rerun_has_the_same_input(env):
    env.begin(Plain)
    answer = do(env, 'rerun', ids='1')
    assert answer.status_code == 303
    infos = env.swf.list_open_workflow_executions(domain=DOMAIN, startTimeFilter={'oldestDate': 0})['executionInfos']
    (other,) = (info for info in infos if info['execution']['workflowId'] != 'w')
    assert other['tagList'] == [f'rerun-of:{env.run_ids["w"]}']


def test_a_rerun_under_an_open_id_says_why_not(env):
    env.begin(Plain)
    answer = do(env, 'rerun')
    assert answer.status_code == 409
    assert 'WorkflowExecutionAlreadyStartedFault' in answer.text


def test_an_activity_that_left_its_worker_is_completed_and_failed(env):
    env.begin(Plain)
    do(env, 'complete', token=env.take(), result='42')
    assert env.gathered().view.operations[-1].last.result == '42'
    env.decide()
    env.begin(Plain, 'v')
    client_of(env).post('/act', {'action': 'fail', 'on': on(env, 'v'), 'token': env.take(), 'reason': 'lost'})
    assert env.gathered('v').view.operations[-1].last.reason == 'lost'


def test_a_wrong_token_is_reported(env):
    env.begin(Plain)
    answer = do(env, 'complete', token='nonsense')
    assert answer.status_code == 409
    assert 'Invalid token' in answer.text


def test_a_field_that_is_needed_is_requested_again(env):
    env.begin(Plain)
    answer = do(env, 'signal', name='', value='keep me')
    assert answer.status_code == 409
    assert 'Signal is empty' in answer.text
    assert 'keep me' in answer.text


def test_a_preview_says_what_would_happen_and_the_command_line(env):
    env.begin(Plain)
    page = page_of(client_of(env), f'/act?action=terminate&on={on(env)}&reason=it+is+stuck')
    assert 'Ends the execution at once' in page.text
    command = f"genflow terminate w --run-id {env.run_ids['w']} --reason 'it is stuck' --domain d --endpoint http://swf"
    assert command in page.text
    assert ('on', on(env)) in page.posted


def test_a_preview_leaves_out_what_is_closed(env):
    env.begin(Plain)
    env.begin(Plain, 'v')
    do(env, 'terminate')
    page = page_of(client_of(env), f'/act?action=cancel&on={on(env)}&on={on(env, "v")}')
    assert 'Nothing: it is terminated.' in page.text
    assert [value for name, value in page.posted if name == 'on'] == [on(env, 'v')]


def test_many_are_chosen_by_a_filter_and_each_says_what_came_of_it(env):
    for name in ('a-1', 'a-2', 'b-3'):
        env.begin(Plain, name, decided=False)
    page = page_of(client_of(env), '/act?action=terminate&all=1&id=a')
    chosen = [value for name, value in page.posted if name == 'on']
    assert sorted(chosen) == [on(env, 'a-1'), on(env, 'a-2')]
    answer = client_of(env).post('/act', {'action': 'terminate', 'on': [*chosen, 'nobody:nothing']})
    assert '2 of 3 done, 1 failed' in ' '.join(answer.text.split())
    assert [env.gathered(name).view.status for name in ('a-1', 'a-2', 'b-3')] == ['terminated', 'terminated', 'open']


def test_a_repair_is_planned_and_made_by_what_the_source_offers(env):
    env.begin(Plain)
    env.fail(env.take())
    env.decide()
    made = []

    def fork(domain, workflow_id, run_id, events):
        made.append((domain, workflow_id, len(events)))
        return 'new-run'

    page = page_of(client_of(env, fork=fork), f'/act?action=repair&on={on(env)}')
    assert 'are trusted' in page.text
    assert made == []
    answer = client_of(env, fork=fork).post('/act', {'action': 'repair', 'on': on(env)})
    assert answer.status_code == 303
    assert [(domain, name) for domain, name, _ in made] == [(DOMAIN, 'w')]


@pytest.mark.parametrize('place', ['memory', 'file'])
def test_a_repair_continues_in_a_service_that_runs(place, tmp_path):
    options = {'path': str(tmp_path / 'x.db'), 'synchronous': 'NORMAL'} if place == 'file' else {}
    env = Environment(warmups=1, **options)
    env.begin(Plain)
    env.fail(env.take())
    env.decide()
    failed = on(env)
    answer = client_of(env, fork=env.swf.fork_run).post('/act', {'action': 'repair', 'on': failed})
    assert answer.status_code == 303
    (info,) = env.swf.list_open_workflow_executions(domain=DOMAIN, startTimeFilter={'oldestDate': 0})['executionInfos']
    assert [tag.partition('@')[0] for tag in info['tagList']] == [f'repair-of:{failed.partition(":")[2]}']
    again = client_of(env, fork=env.swf.fork_run).post('/act', {'action': 'repair', 'on': failed})
    assert again.status_code == 409
    assert 'Already Started' in again.text
    if place == 'file':
        env.swf.close()
        env.swf = LocalSWF(options['path'], env.clock, long_poll=0)
        OPEN.append(env.swf)
    env.decide()
    env.complete(env.take())
    env.decide()
    execution = env.swf.describe_workflow_execution(domain=DOMAIN, execution=info['execution'])
    assert execution['executionInfo']['closeStatus'] == 'COMPLETED'


def test_the_page_after_an_action_shows_what_came_of_it_however_slowly_pages_follow(env):
    env.begin(Plain)
    client = client_of(env, pace=3600)
    assert '<title>w: open' in client.get('/execution?id=w').text
    done = client.post('/act', {'action': 'terminate', 'on': on(env)})
    assert '<title>w: terminated' in client.get(done.headers['location']).text
    assert 'terminated</span> <b>1</b>' in client.get('/').text


def test_a_repair_elsewhere_says_where_it_is_possible(env):
    env.begin(Plain)
    env.fail(env.take())
    env.decide()
    page = page_of(client_of(env), f'/act?action=repair&on={on(env)}')
    assert 'This dashboard cannot repair: a repair copies a history' in page.text
    assert f'genflow repair w --run-id {env.run_ids["w"]} --domain d --db FILE' in page.text
    assert [name for name, _ in page.posted] == ['action', 'force']  # and no button
    answer = do(env, 'repair')
    assert answer.status_code == 409
    assert 'genflow server --ui' in answer.text


def test_an_execution_that_waits_for_a_signal_shows_a_form_for_it(env):
    env.begin(Plain)
    env.begin(Approval, 't')
    spec = WorkflowSpec(Approval, 'Approval', '1')
    posted = page_of(client_of(env, spec=spec), '/execution?id=t').posted
    assert [pair for pair in posted if pair[0] in ('action', 'on', 'name')] == [
        ('action', 'signal'),
        ('on', on(env, 't')),
        ('name', 'approve'),
    ]
    assert page_of(client_of(env, spec=spec), '/execution?id=w').posted == []
    assert ('name', None) in page_of(client_of(env), '/execution?id=t').posted


def test_without_writing_the_command_lines_are_shown_instead(env):
    env.begin(Plain)
    page = page_of(client_of(env, Policy()), '/execution?id=w')
    assert 'genflow cancel w' in page.text
    assert [link for link in page.links.values() if link.startswith('/act')] == []


HOSTILE = ['w', '--help', '-', '$(touch x)', '`x`;x', "it's", '\u202egnp.exe', '<b>&"']


@pytest.mark.thorough
@pytest.mark.parametrize('workflow_id', HOSTILE, ids=ascii)
def test_without_writing_the_command_for_a_signal_names_what_was_meant(env, workflow_id):
    env.begin(Approval, workflow_id)
    text = (
        client_of(env, Policy(), WorkflowSpec(Approval, 'Approval', '1'))
        .get(f'/execution?id={quote(workflow_id)}')
        .text
    )
    command = unescape(re.search('<code>(genflow signal [^<]*)</code>', text)[1])
    assert command.isprintable()
    words = read_by_a_shell(command)
    place = words.index('--') + 1 if '--' in words else 2
    assert words[place] == workflow_id


def read_by_a_shell(*commands):
    """The words that bash makes of command lines."""
    script = '\n'.join(f"printf '%s\\0' {command}" for command in commands)
    done = subprocess.run(
        [shutil.which('bash'), '-c', script], capture_output=True, check=True, env={'LC_ALL': 'C.UTF-8'}
    )
    return done.stdout.decode().split('\0')[:-1]


WORDS = ['', 'plain', '-5', "a 'b'", '$(x)', 'a\nb', '\x1b[31m', '\u202e\\', '☃', '\U0001f600\u2028']


@pytest.mark.parametrize('word', WORDS, ids=ascii)
def test_a_quoted_word_is_the_same_word_to_a_shell(word):
    assert quoted(word).isprintable()
    assert read_by_a_shell(quoted(word)) == [word]


@pytest.mark.parametrize('text', ['because', '--help', '-5', "it's $(so)"], ids=ascii)
@pytest.mark.parametrize('name', ACTIONS)
def test_every_command_line_names_a_command_that_takes_it(env, name, text):
    values = {'name': text, 'value': text, 'token': text, 'reason': text, 'result': text, 'ids': '1'}
    command = ACTIONS[name].command(Task(source_of(env), 'shop', Target(text, 'r'), values))
    program, verb, *words = read_by_a_shell(command)
    assert program == 'genflow'
    found = cli.get_command(None, verb)
    if hasattr(found, 'commands'):
        found, words = found.commands[words[0]], words[1:]
    context = found.make_context(verb, list(words))
    assert (
        (context.params['endpoint'], context.params['db']) == (None, 'FILE')
        if name == 'repair'
        else ('http://swf', None)
    )
    assert context.params.get('workflow_id', text) == text
