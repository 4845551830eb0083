"""Who may see and do what."""

from __future__ import annotations

import pytest

from genflow.tools.dashboard.security import COOKIE, Policy, is_loopback
from tests.insight.breaking import Environment, Plain
from tests.tools.dashboard.sites import ADDRESS, client_of

TOKEN = 'correct horse'  # noqa: S105 - made up


@pytest.fixture
def env():
    found = Environment()
    found.begin(Plain, 'w')
    return found


@pytest.mark.parametrize(
    'host', ['evil.example', 'evil.example:4568', '127.0.0.1.evil.example', '', '10.0.0.1', 'a@b', '[::1']
)
def test_a_foreign_host_name_is_refused(env, host):
    assert client_of(env).get('/', headers={'host': host}).status_code == 421


@pytest.mark.thorough
@pytest.mark.parametrize('host', ['127.0.0.1:4568', 'localhost:4568', 'LOCALHOST', '[::1]:4568', '127.8.8.8'])
def test_our_own_names_are_answered(env, host):
    assert client_of(env).get('/', headers={'host': host}).status_code == 200


def test_beyond_the_loopback_interface_addresses_and_the_given_name_are_known():
    policy = Policy('ui.example', TOKEN)
    assert [policy.knows(host) for host in ('ui.example', '10.0.0.1:80', 'evil.example')] == [True, True, False]
    assert [is_loopback(host) for host in ('localhost', '::1', '0.0.0.0', 'x')] == [True, True, False, False]  # noqa: S104


@pytest.mark.parametrize(
    'headers',
    [
        {'origin': 'http://evil.example'},
        {'origin': 'http://127.0.0.1:4569'},
        {'origin': 'null'},
        {'sec-fetch-site': 'cross-site'},
        {'sec-fetch-site': 'same-site'},
    ],
)
def test_a_page_of_another_site_changes_nothing(env, headers):
    form = {'action': 'terminate', 'on': f'w:{env.run_ids["w"]}'}
    answer = client_of(env).post('/act', form, headers=headers)
    assert answer.status_code == 403
    assert env.gathered().view.is_open


def test_a_page_of_ours_does(env):
    form = {'action': 'terminate', 'on': f'w:{env.run_ids["w"]}'}
    answer = client_of(env).post('/act', form, headers={'origin': ADDRESS, 'sec-fetch-site': 'same-origin'})
    assert answer.status_code == 303
    assert env.gathered().view.status == 'terminated'


def test_read_only_is_the_default(env):
    assert Policy().may_write is False
    answer = client_of(env, Policy()).post('/act', {'action': 'terminate', 'on': f'w:{env.run_ids["w"]}'})
    assert answer.status_code == 403
    assert '--write' in answer.text
    assert env.gathered().view.is_open


def test_no_get_changes_anything(env):
    client = client_of(env)
    before = env.gathered().view.last_event_id
    for action in ('signal', 'cancel', 'terminate', 'rerun', 'repair', 'complete', 'fail'):
        client.get(f'/act?action={action}&on=w:{env.run_ids["w"]}&name=n&value=1&token=t&reason=r')
    assert env.gathered().view.last_event_id == before
    assert client.request('HEAD', '/act?action=terminate').status_code in (200, 405)
    assert client.request('DELETE', '/act').status_code == 405


@pytest.mark.parametrize('path', ['/execution?id=w', '/executions.txt', '/execution.json?id=w', '/live/execution?id=w'])
def test_with_a_token_nothing_is_shown_without_it(env, path):
    answer = client_of(env, Policy(token=TOKEN)).get(path)
    assert answer.status_code == 401
    assert 'DecisionTask' not in answer.text


@pytest.mark.thorough
def test_who_has_no_cookie_is_asked_for_the_token(env):
    client = client_of(env, Policy(token=TOKEN))
    answer = client.get('/')
    assert (answer.status_code, answer.headers['location']) == (303, '/login')
    assert client.get('/login').status_code == 200
    assert client.get('/static/style.css').status_code == 200
    wrong = client.post('/login', {'token': 'wrong'})
    assert (wrong.status_code, 'set-cookie' in wrong.headers) == (403, False)
    right = client.post('/login', {'token': TOKEN})
    cookie = right.headers['set-cookie']
    assert right.status_code == 303
    assert 'samesite=strict' in cookie.lower()
    assert 'httponly' in cookie.lower()
    assert TOKEN not in cookie
    assert client.get('/execution?id=w').status_code == 200


def test_a_token_may_come_in_a_header_or_once_in_the_address(env):
    client = client_of(env, Policy(token=TOKEN))
    assert client.get('/types', headers={'authorization': f'Bearer {TOKEN}'}).status_code == 200
    assert client.get('/types', headers={'authorization': 'Bearer wrong'}).status_code == 401
    assert client.get('/types', headers={'cookie': f'{COOKIE}=wrong'}).status_code == 401
    answer = client.get(f'/?token={TOKEN}')
    assert (answer.status_code, answer.headers['location']) == (303, '/')
    assert client.get('/').status_code == 200


@pytest.mark.parametrize('path', ['/', '/execution?id=w', '/nothing', '/static/style.css', '/login', '/executions.txt'])
def test_every_answer_has_the_headers(env, path):
    answer = client_of(env).get(path)
    policy = answer.headers['content-security-policy']
    assert 'unsafe' not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers['x-content-type-options'] == 'nosniff'


@pytest.mark.thorough
def test_no_page_has_script_or_style_of_its_own(env):
    client = client_of(env)
    for path in ('/', '/execution?id=w', '/workers', '/types', f'/act?action=signal&on=w:{env.run_ids["w"]}', '/login'):
        text = client.get(path).text
        assert '<style' not in text
        assert ' style=' not in text
        assert ' onclick' not in text
        assert text.count('<script') == text.count('<script src="/static/dashboard.js" defer></script>')


def test_only_our_two_files_are_served(env):
    client = client_of(env)
    for path in ('/static/../site.py', '/static/%2e%2e%2fsite.py', '/static/x', '/static/style.css/'):
        assert client.get(path).status_code in (307, 404)


def test_a_form_that_is_too_large_is_refused(env):
    assert client_of(env).post('/act', {'action': 'signal', 'value': 'x' * 2_100_000}).status_code == 413
