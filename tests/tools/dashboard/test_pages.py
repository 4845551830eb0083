"""Every page without a browser: what it shows, and that all of its state is in its address."""

from __future__ import annotations

import json
import re
from urllib.parse import quote, urljoin

import pytest
from botocore.exceptions import EndpointConnectionError

from genflow.core.model.registry import WorkflowSpec
from genflow.testing.histories.exports import load
from genflow.tools.dashboard.data.folder import FILES, FolderClient
from genflow.tools.dashboard.security import Policy
from tests.insight.breaking import DOMAIN, WORKERS, Environment, Parent, Plain, Raises, Tolerant
from tests.tools.dashboard.sites import Page, client_of, page_of

EVIL = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>\x1b[31m\u202e'


@pytest.fixture
def env():
    return Environment()


def begin_three(env):
    env.begin(Plain, 'order-1', tagList=['red'])
    env.begin(Raises, 'order-2')
    env.complete(env.take())
    env.complete(env.take())
    env.decide()
    env.decide()
    env.begin(Plain, 'parcel-3', decided=False)


@pytest.mark.thorough
def test_the_list_links_to_each_execution_by_its_workflow_id(env):
    begin_three(env)
    client = client_of(env)
    links = page_of(client, '/').links
    assert links['order-1'] == f'/execution?id=order-1&run={env.run_ids["order-1"].replace("=", "%3D")}'
    assert 'order-1' in page_of(client, links['order-1']).text


def rows(page):
    return [text for text in page.links if text in ('order-1', 'order-2', 'parcel-3')]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('query', 'found'),
    [
        ('', ['parcel-3', 'order-2', 'order-1']),
        ('?id=order', ['order-2', 'order-1']),
        ('?type=Raises', ['order-2']),
        ('?type=Plain+1&sort=id', ['order-1', 'parcel-3']),
        ('?tag=red', ['order-1']),
        ('?status=open&sort=-id', ['parcel-3']),
        ('?status=failed', ['order-2']),
        ('?sort=id', ['order-1', 'order-2', 'parcel-3']),
        ('?sort=type&flat=1', ['order-1', 'parcel-3', 'order-2']),
        ('?since=2001-01-01', []),
        ('?until=2001-01-01T00:00&sort=id', ['order-1', 'order-2', 'parcel-3']),
        ('?sort=nonsense&page=x', ['parcel-3', 'order-2', 'order-1']),
    ],
)
def test_the_query_of_the_address_says_what_is_listed(env, query, found):
    env.begin(Plain, 'order-1', tagList=['red'])
    env.complete(env.take())
    env.decide()
    env.wait(1)
    env.begin(Raises, 'order-2')
    env.complete(env.take())
    env.decide()
    env.wait(1)
    env.begin(Plain, 'parcel-3', decided=False)
    assert rows(page_of(client_of(env), f'/{query}')) == found


def test_a_moment_that_is_none_is_answered_with_how_to_write_one(env):
    env.begin(Plain, 'w')
    answer = client_of(env).get('/?since=yesterday')
    page = Page(answer.text)
    assert answer.status_code == 400
    assert "'yesterday' is not a time; write it as 2026-11-28" in page.text
    assert ('since', 'yesterday') in page.fields
    assert 'w' not in page.links
    assert ('all', None) not in page.fields  # what was not understood is no filter for an action on all


def test_the_first_cause_is_a_column(env):
    env.begin(Plain, 'w')
    env.wait(60)
    text = client_of(env).get('/').text
    assert 'class="cause"' in text  # which one depends on the classes that this process knows
    assert 'not looked at yet' not in text


def test_ids_are_exported_as_the_search_found_them(env):
    begin_three(env)
    answer = client_of(env).get('/executions.txt?id=order&sort=id')
    assert answer.text.splitlines() == [f'{name}\t{env.run_ids[name]}' for name in ('order-1', 'order-2')]


@pytest.mark.thorough
def test_children_stand_under_their_parents(env):
    env.begin(Parent)
    env.decide()
    text = client_of(env).get('/').text
    assert text.index('>w</a>') < text.index('class="depth1"') < text.index('>child</a>')
    assert 'class="depth1"' not in client_of(env).get('/?flat=1').text


@pytest.mark.thorough
def test_an_execution_without_a_run_id_is_the_latest(env):
    env.begin(Plain, 'w')
    assert env.run_ids['w'] in page_of(client_of(env), '/execution?id=w').text


@pytest.mark.parametrize('address', ['/execution?id=nobody', '/execution', '/execution?id=w&run=none', '/nothing'])
def test_what_is_not_there_is_reported_on_a_page(env, address):
    answer = client_of(env).get(address)
    assert answer.status_code == 404
    assert 'Go to the executions' in answer.text


@pytest.mark.thorough
def test_an_execution_says_its_state_and_why_first(env):
    env.begin(Plain, 'w')
    env.wait(60)
    page = page_of(client_of(env), '/execution?id=w')
    assert page.text.index('It waits for activity') < page.text.index('Cause:') < page.text.index('Timeline')
    assert '[activity-not-polled]' in page.text


@pytest.mark.thorough
def test_branches_have_source_lines_where_the_target_is_known(env):
    env.begin(Tolerant, 'w')
    spec = WorkflowSpec(Tolerant, 'Tolerant', '1')
    client = client_of(env, spec=spec)
    env.begin(Plain, 'p')
    page = page_of(client_of(env, spec=WorkflowSpec(Plain, 'Plain', '1')), '/execution?id=p')
    assert 'return (yield self.work())' in page.text
    assert client is not None


def test_payloads_of_an_operation_may_be_folded_and_long_ones_are(env):
    env.begin(Plain, 'w')
    env.complete(env.take(), 'x' * 30_000)
    text = client_of(env).get('/execution?id=w').text
    (whole,) = re.findall('<details class="payload" id="result-of-op0-[0-9]+"([^>]*)><summary>Result ([^/]*)', text)
    assert whole == ('', '<span class="soft">30,000 characters<')
    assert re.search('<details class="payload" id="input-of-op0-[0-9]+" open><summary>Input<', text)


def test_all_events_are_on_the_page_and_one_opens_by_its_address(env):
    env.begin(Plain, 'w')
    client = client_of(env)
    page = page_of(client, '/execution?id=w')
    assert {f'e{number}' for number in range(1, 6)} <= page.ids
    assert 'open-event' not in page.ids
    (address,) = {link for link in page.links.values() if link.endswith('#e1')}
    assert address.startswith('?')  # the page's own path is not repeated for each of 25,000 events
    opened = page_of(client, urljoin('/execution?id=w', address).partition('#')[0])
    assert 'open-event' in opened.ids
    assert '"childPolicy": "TERMINATE"' in opened.text


def test_the_line_of_an_event_is_one_element(env):
    """25,000 of them are one page: each further element costs a browser a quarter of the time to load it."""
    env.begin(Plain, 'w')
    text = client_of(env).get('/execution?id=w').text
    events = text[text.index('<div id="events">') : text.index('</section>', text.index('<div id="events">'))]
    assert re.findall(r'<(\w+)', events) == ['div', 'div', *['a'] * 5]
    assert '>1\t2000-01-01 00:00:00\t● WorkflowExecutionStarted' in events.replace('\u00a0', ' ')


@pytest.mark.thorough
@pytest.mark.parametrize(
    ('query', 'numbers'),
    [
        ('kind=activity', [5]),
        ('q=decisiontasks', [2, 3]),
        ('q=%5EN%7C%5E%5B45%5D+&regex=1', [4, 5]),
        ('failed=1', []),
        ('number=1', [5]),
        ('after=3', [4, 5]),
        ('kind=nonsense', [1, 2, 3, 4, 5]),
    ],
)
def test_events_are_filtered_by_the_address(env, query, numbers):
    env.begin(Plain, 'w')
    page = page_of(client_of(env), f'/execution?id=w&{query}')
    assert sorted(int(name[1:]) for name in page.ids if name and name[1:].isdecimal() and name[0] == 'e') == numbers


def test_a_pattern_that_cannot_be_used_is_reported_and_not_run(env):
    env.begin(Plain, 'w')
    answer = client_of(env).get('/execution?id=w&q=(&regex=1')
    assert answer.status_code == 400
    assert "'(' is not a valid regular expression" in Page(answer.text).text


def test_downloads_are_the_history_and_one_whole_file(env, tmp_path):
    env.begin(Plain, 'w')
    client = client_of(env)
    answer = client.get('/execution.json?id=w')
    file = tmp_path / 'w.json'
    file.write_text(answer.text)
    assert len(load(file).events) == 5
    assert 'attachment; filename="w.json"' in answer.headers['content-disposition']
    page = client.get('/execution.html?id=w').text
    assert page.startswith('<!doctype html>')
    assert '<script' not in page


@pytest.mark.thorough
def test_hostile_text_is_only_ever_text(env):
    env.begin(Plain, 'w', tagList=['<b>tag</b>'])
    env.fail(env.take(), reason=EVIL)
    env.decide()
    client = client_of(env)
    for address in (
        '/',
        '/execution?id=w',
        '/execution?id=w&event=7',
        f'/?id={quote(EVIL)}',
        '/workers',
        f'/act?action={quote(EVIL)}',
    ):
        text = client.get(address).text
        assert '<script>alert' not in text
        assert '<img' not in text
        assert '<b>tag' not in text
        assert '\x1b' not in text
        assert '\u202e' not in text


def test_workers_are_shown_with_what_they_last_did_and_lists_with_what_waits(env):
    env.begin(Plain, 'w')
    env.begin(Plain, 'v')
    env.take(identity='worker-9')
    text = ' '.join(page_of(client_of(env), '/workers').text.split())
    assert 'work activity tasks ◔ 1 task waits' in text
    assert 'worker-9' in text


def test_types_are_shown_with_their_state_and_whether_the_target_has_them(env):
    client = client_of(env, spec=WorkflowSpec(Plain, 'Plain', '1'))
    text = ' '.join(page_of(client, '/types').text.split())
    assert 'activityDeprecated1 ⊘ deprecated' in text
    assert 'workflowPlain1 ✓ registered' in text


@pytest.mark.thorough
def test_what_was_open_when_an_execution_closed_runs_no_longer(env):
    env.begin(Plain, 'w')
    env.take()
    env.wait(60)
    env.swf.terminate_workflow_execution(domain=DOMAIN, workflowId='w')
    env.wait(3600)
    assert 'ran 1 min,' in page_of(client_of(env), '/execution?id=w').text


@pytest.mark.thorough
def test_empty_pages_say_what_to_do(env):
    client = client_of(env)
    assert 'genflow start TYPE VERSION' in page_of(client, '/').text
    assert 'genflow worker TARGET' in page_of(client, '/workers').text
    assert 'No execution matches' in page_of(client, '/?id=x').text


@pytest.mark.thorough
def test_the_time_zone_is_kept_by_every_link(env):
    env.begin(Plain, 'w')
    page = page_of(client_of(env), '/execution?id=w&tz=Asia/Tokyo')
    assert '2000-01-01 09:00:00' in page.text
    here = [link for link in page.links.values() if link.startswith('/')]
    assert [link for link in here if 'tz=Asia%2FTokyo' not in link and 'static' not in link] == []


@pytest.mark.thorough
def test_a_folder_of_histories_is_a_source(env, tmp_path):
    env.begin(Plain, 'w')
    answer = client_of(env).get('/execution.json?id=w')
    (tmp_path / 'saved.json').write_text(answer.text)
    (tmp_path / 'broken.json').write_text('{')
    (tmp_path / 'bare.json').write_text(json.dumps(json.loads(answer.text)['events']))
    env.swf = FolderClient(tmp_path)
    client = client_of(env, Policy(), is_live=False)
    page = page_of(client, f'/?domain={FILES}')
    assert {'w', 'bare'} <= page.links.keys()
    assert 'broken.json' in page.text
    assert 'It waits for activity' in page_of(client, page.links['w']).text


HISTORY = (
    ('WorkflowExecutionStarted', {'input', 'childPolicy', 'workflowType', 'taskList', 'tagList'}),
    ('DecisionTaskScheduled', {'taskList'}),
    ('DecisionTaskStarted', {'identity', 'scheduledEventId'}),
    ('DecisionTaskCompleted', {'executionContext', 'scheduledEventId', 'startedEventId'}),
    ('ActivityTaskScheduled', {'activityId', 'activityType', 'taskList', 'input', 'control'}),
    ('ActivityTaskStarted', {'identity', 'scheduledEventId'}),
    ('ActivityTaskFailed', {'reason', 'details', 'scheduledEventId', 'startedEventId'}),
    ('WorkflowExecutionSignaled', {'signalName', 'input'}),
    ('MarkerRecorded', {'markerName', 'details'}),
    ('WorkflowExecutionFailed', {'reason', 'details'}),
)


def written_with(text):
    """A history, as the AWS command line prints it, in which everything that can be text is this one."""
    known = {
        'workflowType': {'name': text, 'version': text}, 'activityType': {'name': text, 'version': text},
        'taskList': {'name': text}, 'tagList': [text], 'childPolicy': 'TERMINATE',
    }  # fmt: skip
    events = []
    for number, (name, members) in enumerate(HISTORY, 1):
        ids = {'scheduledEventId': 5 if number > 5 else 2, 'startedEventId': 6 if number > 5 else 3}
        attributes = {member: known.get(member, ids.get(member, text)) for member in members}
        field = f'{name[0].lower()}{name[1:]}EventAttributes'
        events.append({'eventId': number, 'eventType': name, 'eventTimestamp': 1.7e9 + number, field: attributes})
    return json.dumps({'events': events, 'workflowExecution': {'workflowId': f'of {text}'[:256], 'runId': 'r'}})


TEXTS = [
    '\ud800',
    '\x00',
    '\x1b[31m\x85',
    EVIL,
    '[' * 5000,
    '{"a":' * 5000,
    'x' * 32_768,
    '\u2028\ufeff',
    '%00%',
    '{{7*7}}',
]


@pytest.mark.parametrize('text', TEXTS, ids=lambda text: ascii(text[:8]))
def test_no_text_in_a_file_breaks_a_page(env, tmp_path, text):
    (tmp_path / 'hostile.json').write_text(written_with(text))
    (tmp_path / 'plain.json').write_text(written_with('plain'))
    env.swf = FolderClient(tmp_path)
    client = client_of(env, Policy(), is_live=False)
    workflow_id = f'of {text}'[:256]
    of_run = f'id={quote(workflow_id, errors="replace")}&run=r&domain={FILES}'
    pages = [f'{path}?domain={FILES}' for path in ('/', '/workers', '/types', '/executions.txt')]
    if '\ud800' not in text:  # no address can name that one
        pages += [f'{path}?{of_run}&event=7&depth=1' for path in ('/execution', '/execution.json', '/execution.html')]
    for address in pages:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text[-500:])
        assert '<script>alert' not in answer.text or 'html' not in answer.headers['content-type']
    assert 'of plain' in client.get('/').text


def test_a_service_that_does_not_answer_is_a_page_that_says_so(env):
    class Gone:
        def __getattr__(self, name):
            from botocore.exceptions import EndpointConnectionError

            def refuse(**request):
                raise EndpointConnectionError(endpoint_url='http://swf')

            return refuse

    env.swf = Gone()
    for address in ('/', '/execution?id=w&run=r', '/workers', '/types'):
        answer = client_of(env).get(address)
        assert answer.status_code == 503, address
        assert 'The service does not answer' in answer.text


def test_pages_are_the_same_for_the_same_address(env):
    env.begin(Plain, 'w')
    client = client_of(env)
    assert client.get('/?sort=id').text == client.get('/?sort=id').text
    assert DOMAIN in Page(client.get('/').text).text
    assert WORKERS in client.get('/workers').text


@pytest.mark.thorough
def test_the_top_of_a_long_history_comes_before_it_is_read(env, monkeypatch):
    monkeypatch.setattr('genflow.tools.dashboard.pages.one.LARGE', 3)
    env.begin(Plain, 'long')
    client = client_of(env)
    first, second = client.get('/execution?id=long').text, client.get('/execution?id=long').text
    assert 'reading' in first[: first.index('id="head"')]
    assert 'class="reading' not in second
    for tag in ('<!doctype html>', '<main', '</main>', '<footer', '</html>', '<title>', '<h1>', 'id="e1"'):
        assert first.count(tag) == second.count(tag) == 1, tag
    begins, ends = '<main id="main" tabindex="-1">', '</main>'
    without = first[first.index('<div id="head"') : first.index(ends)]
    assert without == second[second.index(begins) + len(begins) : second.index(ends)].lstrip()
    assert '<title>long: open · genflow</title>' in first


def test_a_history_that_cannot_be_read_after_all_says_so_below_the_top(env, monkeypatch):
    monkeypatch.setattr('genflow.tools.dashboard.pages.one.LARGE', 3)
    env.begin(Plain, 'long')

    def fail(run, source, clock):
        raise EndpointConnectionError(endpoint_url='http://swf')

    monkeypatch.setattr('genflow.tools.dashboard.data.runs.Run.update', fail)
    answer = client_of(env).get('/execution?id=long')
    assert answer.status_code == 200
    assert 'does not answer' in answer.text
    assert answer.text.count('</html>') == answer.text.count('<main') == 1


def test_an_execution_that_is_not_there_is_not_found_before_anything_is_shown(env, monkeypatch):
    monkeypatch.setattr('genflow.tools.dashboard.pages.one.LARGE', 3)
    assert client_of(env).get('/execution?id=nobody').status_code == 404
    assert client_of(env).get('/execution?id=nobody&run=none').status_code == 404
