"""Who may come in where nothing is signed."""

from __future__ import annotations

import pytest

from genflow.local.errors import ServiceError
from genflow.local.http.admission import Admission, is_loopback
from genflow.local.http.http11 import Request

LOCAL = Admission('127.0.0.1', is_local=True)


def request(method='POST', path='/', **headers):
    named = {name.replace('_', '-'): value for name, value in headers.items()}
    return Request(method, path, named, b'', keep_alive=True)


@pytest.mark.parametrize(
    'host',
    [
        'localhost', 'localhost:4567', 'LOCALHOST', 'localhost.', '127.0.0.1:4567', '127.1.2.3', '[::1]:4567',
        '192.168.1.7', 'app.localhost:1', 'swf', 'swf:4567', 'host.docker.internal:4567', '',
    ],
)  # fmt: skip
def test_names_that_nobody_can_register(host):
    LOCAL.check(request(host=host))


def test_http_1_0_names_no_host():
    LOCAL.check(request())


@pytest.mark.parametrize(
    'host', ['example.com', 'EXAMPLE.com:4567', 'localhost.example.com', '127.0.0.1.nip.io', 'a.b.']
)
@pytest.mark.parametrize('method', ['GET', 'POST'])
def test_names_that_a_page_could_have_registered(method, host):
    with pytest.raises(ServiceError, match='AccessDeniedException: Host is') as caught:
        LOCAL.check(request(method, host=host))
    assert caught.value.status == 403


def test_the_name_that_the_server_was_given():
    Admission('My.Machine.example', is_local=True).check(request(host='my.machine.EXAMPLE:4567'))


def test_beyond_loopback_a_server_has_any_name():
    Admission('0.0.0.0', is_local=False).check(request(host='swf.example.com'))  # noqa: S104 - nothing is bound


@pytest.mark.parametrize(
    'headers', [{'origin': 'null'}, {'sec_fetch_site': 'cross-site'}, {'sec_fetch_site': 'same-site'}]
)
def test_web_pages(headers):
    with pytest.raises(ServiceError, match='web pages'):
        LOCAL.check(request(host='localhost', **headers))


def test_an_address_that_a_user_has_typed_into_a_browser():
    LOCAL.check(request('GET', host='localhost', sec_fetch_site='none'))


@pytest.mark.parametrize('host', ['localhost', '127.0.0.1', '127.9.9.9', '::1'])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize('host', ['0.0.0.0', '::', '10.0.0.1', 'example.com', '', '127.0.0.1.example.com'])  # noqa: S104
def test_not_loopback(host):
    assert not is_loopback(host)
