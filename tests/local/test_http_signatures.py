"""AWS Signature Version 4: what botocore signs is accepted, and nothing else."""

from __future__ import annotations

import calendar
import contextlib
import hashlib
import json
import subprocess
import sys
import time
from datetime import datetime, timezone

import boto3
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as Signer
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from genflow.local import LocalSWF, ManualClock
from genflow.local.errors import ServiceError
from genflow.local.http.credentials import Secret
from genflow.local.http.http11 import RequestReader
from genflow.local.http.server import HttpServer
from genflow.local.http.signatures import signed_at, verify

BODY = b'{"registrationStatus": "REGISTERED"}'
KEYS = {'AKID': Secret('very secret'), 'ASIA': Secret('temporary', 'token')}
URL = 'http://localhost:4567/'
TARGET = 'SimpleWorkflowService.ListDomains'


def signed(url=URL, *, key='AKID', secret='very secret', token=None, headers=(), data=BODY, **scope):  # noqa: S107
    """A request as botocore signs it: its headers in order, and the moment of its signature."""
    request = AWSRequest('POST', url, headers={'X-Amz-Target': TARGET}, data=data)
    for name, value in headers:
        request.headers.add_header(name, value)
    SigV4Auth(Signer(key, secret, token), scope.get('service', 'swf'), scope.get('region', 'eu-west-1')).add_auth(
        request
    )
    moment = datetime.strptime(request.context['timestamp'], '%Y%m%dT%H%M%SZ').replace(tzinfo=timezone.utc)
    return list(request.headers.items()), calendar.timegm(moment.timetuple())


def arrived(headers, body=BODY, host='localhost:4567', target='/', framing=None):
    """The request as the server reads it off the wire."""
    lines = [f'POST {target} HTTP/1.1', *(f'{name}: {value}' for name, value in headers)]
    lines += [f'Host: {host}'] if host else []
    lines.append(framing or f'Content-Length: {len(body)}')
    reader = RequestReader()
    reader.feed('\r\n'.join([*lines, '', '']).encode('latin-1'))
    reader.feed(b'%x\r\n%s\r\n0\r\n\r\n' % (len(body), body) if framing else body)
    return reader.next()


def refusal(request, now):
    with pytest.raises(ServiceError) as caught:
        verify(request, KEYS, now)
    assert caught.value.status == 403
    return caught.value.code


def replaced(headers, name, value):
    return [(key, value if key == name else old) for key, old in headers]


@pytest.mark.parametrize(
    ('url', 'host', 'target'),
    [
        ('http://localhost:4567/', 'localhost:4567', '/'),
        ('http://localhost:4567', 'localhost:4567', '/'),
        ('https://swf.example.com/', 'swf.example.com', '/'),
        ('http://[::1]:4567/', '[::1]:4567', '/'),
        ('http://localhost:4567/_genflow/reset', 'localhost:4567', '/_genflow/reset'),
        ('http://localhost:4567/a%20b', 'localhost:4567', '/a%20b'),
        ('http://localhost:4567/?b=2&a=x%2Fy&a=&c', 'localhost:4567', '/?b=2&a=x%2Fy&a=&c'),
    ],
)
def test_what_botocore_signs_is_accepted(url, host, target):
    headers, now = signed(url)
    verify(arrived(headers, host=host, target=target), KEYS, now)


@pytest.mark.parametrize(('region', 'service'), [('us-east-1', 'swf'), ('anything', 'swf'), ('0', '127')])
def test_any_region_will_do(region, service):
    headers, now = signed(region=region, service=service)
    verify(arrived(headers), KEYS, now)


def test_the_day_of_the_key_is_the_day_of_the_request():
    headers, now = signed()
    authorization = dict(headers)['Authorization']
    day = authorization.split('/')[1]
    changed = replaced(headers, 'Authorization', authorization.replace(f'/{day}/', '/20010101/'))
    with pytest.raises(ServiceError, match='scoped to the day'):
        verify(arrived(changed), KEYS, now)


def test_a_body_that_came_in_chunks():
    headers, now = signed()
    verify(arrived(headers, framing='Transfer-Encoding: chunked'), KEYS, now)


def test_an_empty_body():
    headers, now = signed(data=b'')
    verify(arrived(headers, b''), KEYS, now)


VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126) | st.just(' '), max_size=20)


@pytest.mark.thorough
@given(st.lists(st.tuples(st.sampled_from(['X-A', 'x-b', 'Amz-Sdk-Request', 'Via']), VALUES), max_size=5))
def test_any_headers_and_headers_that_came_twice(headers):
    sent, now = signed(headers=headers)
    verify(arrived(sent), KEYS, now)


def test_what_a_proxy_may_change():
    headers, now = signed(headers=[('X-A', 'one  two')])
    changed = [
        ('X-Forwarded-For', '10.0.0.1'),
        ('Via', '1.1 proxy'),
        ('X-Amzn-Trace-Id', 'Root=1'),
        ('X-Amz-Cf-Id', 'cloudfront'),
        *((name.lower(), f' {value.replace("  ", " ")} ') for name, value in reversed(headers)),
    ]
    verify(arrived(changed), KEYS, now)


def test_a_date_header_may_stand_for_the_moment():
    headers, now = signed(headers=[('Date', 'now')])
    assert 'X-Amz-Date' not in dict(headers)
    verify(arrived(headers), KEYS, now)


@pytest.mark.parametrize(
    'date',
    [
        'Sat, 28 Nov 2026 18:00:00 GMT',
        'Sat, 28 Nov 2026 20:00:00 +0200',
        'Sat, 28 Nov 2026 18:00:00 -0000',
        'Sat, 28 Nov 2026 18:00:00',
        '20261128T180000Z',
    ],
)
def test_the_moment_of_a_date_header_does_not_depend_on_where_the_server_is(date, monkeypatch):
    monkeypatch.setenv('TZ', 'America/New_York')
    time.tzset()
    try:
        signed_at.cache_clear()
        assert signed_at(None, date).text == '20261128T180000Z'
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize('apart', [-300, -1, 0, 1, 300])
def test_five_minutes_of_difference_are_allowed(apart):
    headers, now = signed()
    verify(arrived(headers), KEYS, now + apart)


@pytest.mark.parametrize('apart', [-301, 301, -86400, 1e9])
def test_more_are_not(apart):
    headers, now = signed()
    assert refusal(arrived(headers), now + apart) == 'InvalidSignatureException'


def test_nothing_signed():
    assert refusal(arrived([]), 0) == 'MissingAuthenticationTokenException'


@pytest.mark.parametrize(
    'header',
    ['', 'Basic eDp5', 'AWS3 AWSAccessKeyId=x', 'AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA256 Credential=AKID', '\x80'],
)
def test_a_signature_of_another_kind(header):
    headers, now = signed()
    assert refusal(arrived(replaced(headers, 'Authorization', header)), now) == 'IncompleteSignatureException'


@pytest.mark.parametrize(
    'change', [('Signature=', 'Signature=0'), ('Signature=', 'Signature=\xe9'), ('AKID/', 'AKID/x/')]
)
def test_a_signature_that_was_changed(change):
    headers, now = signed()
    authorization = dict(headers)['Authorization'].replace(*change)
    assert refusal(arrived(replaced(headers, 'Authorization', authorization)), now) in {
        'InvalidSignatureException',
        'UnrecognizedClientException',
    }


def test_two_signatures():
    headers, now = signed()
    twice = [*headers, ('Authorization', dict(headers)['Authorization'])]
    assert refusal(arrived(twice), now) == 'IncompleteSignatureException'


def test_a_wrong_secret():
    headers, now = signed(secret='guessed')
    assert refusal(arrived(headers), now) == 'InvalidSignatureException'


def test_an_access_key_that_nobody_has():
    headers, now = signed(key='NOBODY', secret='')
    assert refusal(arrived(headers), now) == 'UnrecognizedClientException'


def test_a_changed_body():
    headers, now = signed()
    assert refusal(arrived(headers, BODY.replace(b'REG', b'DEP')), now) == 'InvalidSignatureException'


@pytest.mark.parametrize(
    ('name', 'value'),
    [('X-Amz-Target', 'SimpleWorkflowService.DeprecateDomain'), ('X-Amz-Date', '20010101T000000Z'), ('X-A', 'other')],
)
def test_a_changed_header(name, value):
    headers, now = signed(headers=[('X-A', 'one')])
    assert refusal(arrived(replaced(headers, name, value)), now) == 'InvalidSignatureException'


def test_another_host():
    headers, now = signed()
    assert refusal(arrived(headers, host='elsewhere:4567'), now) == 'InvalidSignatureException'


def test_another_path_or_query():
    headers, now = signed()
    for target in ('/_genflow/reset', '/?a=b'):
        assert refusal(arrived(headers, target=target), now) == 'InvalidSignatureException'


@pytest.mark.parametrize('name', ['Host', 'X-Amz-Date', 'X-Amz-Target', 'X-Amz-Security-Token'])
def test_what_the_signature_must_cover(name):
    """Leaving a header out of SignedHeaders would let anybody replace it."""
    headers, now = signed(key='ASIA', secret='temporary', token='token')
    authorization = dict(headers)['Authorization']
    names = authorization.partition('SignedHeaders=')[2].partition(',')[0]
    fewer = ';'.join(part for part in names.split(';') if part != name.lower())
    assert fewer != names
    changed = replaced(headers, 'Authorization', authorization.replace(names, fewer))
    with pytest.raises(ServiceError, match=f'SignedHeaders does not contain {name.lower()}'):
        verify(arrived(changed), KEYS, now)


def test_a_signed_header_that_a_proxy_has_removed():
    headers, now = signed(headers=[('X-A', 'one')])
    with pytest.raises(ServiceError, match="'x-a' has not arrived"):
        verify(arrived([header for header in headers if header[0] != 'X-A']), KEYS, now)


def test_the_hash_of_the_body_may_come_along():
    headers, now = signed(headers=[('X-Amz-Content-SHA256', hashlib.sha256(BODY).hexdigest())])
    verify(arrived(headers), KEYS, now)


@pytest.mark.parametrize('claimed', ['UNSIGNED-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', '0' * 64])
def test_a_body_that_the_signature_leaves_out(claimed):
    headers, now = signed(headers=[('X-Amz-Content-SHA256', claimed)])
    assert refusal(arrived(headers), now) == 'InvalidSignatureException'


def test_temporary_credentials_come_with_their_token():
    headers, now = signed(key='ASIA', secret='temporary', token='token')
    verify(arrived(headers), KEYS, now)


@pytest.mark.parametrize('token', [None, 'other'])
def test_temporary_credentials_without_their_token(token):
    headers, now = signed(key='ASIA', secret='temporary', token=token)
    assert refusal(arrived(headers), now) == 'UnrecognizedClientException'


def test_a_token_that_nobody_requested_is_a_header():
    headers, now = signed(token='some')
    verify(arrived(headers), KEYS, now)


# -- over the network


@pytest.fixture
def server():
    with LocalSWF(clock=ManualClock()) as service, HttpServer(service, test_control=True, credentials=KEYS) as server:
        service.register_domain(name='there', workflowExecutionRetentionPeriodInDays='1')
        yield server


def client(server, key='AKID', secret='very secret', token=None):  # noqa: S107 - made up
    session = boto3.session.Session(key, secret, token, region_name='eu-west-1')
    config = Config(retries={'total_max_attempts': 1})
    return contextlib.closing(session.client('swf', endpoint_url=server.url, config=config))


@pytest.mark.thorough
@pytest.mark.parametrize(
    'keys', [('AKID', 'very secret'), ('AKID', 'very secret', 'some'), ('ASIA', 'temporary', 'token')], ids=str
)
def test_boto3_as_it_comes(server, keys):
    with client(server, *keys) as swf:
        assert [info['name'] for info in swf.list_domains(registrationStatus='REGISTERED')['domainInfos']] == ['there']


@pytest.mark.parametrize(
    ('keys', 'code'),
    [(('AKID', 'x'), 'InvalidSignatureException'), (('NOBODY', 'x'), 'UnrecognizedClientException')],
)
def test_boto3_with_other_keys(server, keys, code):
    with client(server, *keys) as swf, pytest.raises(ClientError) as caught:
        swf.list_domains(registrationStatus='REGISTERED')
    assert (caught.value.response['Error']['Code'], caught.value.response['ResponseMetadata']['HTTPStatusCode']) == (
        code,
        403,
    )


BOTO2 = """
from boto.regioninfo import RegionInfo
from boto.swf.layer1 import Layer1

region = RegionInfo(name='eu-west-1', endpoint='127.0.0.1')
swf = Layer1('AKID', 'very secret', is_secure=False, port={port}, region=region)
print(swf.list_domains('REGISTERED')['domainInfos'][0]['name'])
"""


@pytest.mark.thorough
@pytest.mark.skipif(sys.version_info >= (3, 12), reason='boto 2 cannot be imported on it')
def test_boto_2_as_it_comes(server):
    command = [sys.executable, '-W', 'ignore', '-c', BOTO2.format(port=server.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert (done.stdout, done.returncode) == ('there\n', 0), done.stderr


@pytest.mark.parametrize('path', ['/', '/_genflow/reset', '/_genflow/clock'])
def test_an_unsigned_request_is_refused_in_the_shape_of_swf(server, path):
    response = urllib3.request('POST', server.url + path, body=BODY, headers={'X-Amz-Target': TARGET})
    assert response.status == 403
    assert response.headers['Content-Type'] == 'application/x-amz-json-1.0'
    assert json.loads(response.data)['__type'] == 'com.amazon.coral.service#MissingAuthenticationTokenException'


def test_health_needs_no_signature(server):
    assert urllib3.request('GET', server.url).status == 200
