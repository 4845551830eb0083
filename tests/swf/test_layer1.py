"""Whatever an application has becomes a client, used as it is or made with what a worker needs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from genflow.local import LocalSWF
from genflow.local.http.server import HttpServer
from genflow.swf.aws.connections import connect

KEYS = {'aws_access_key_id': 'key', 'aws_secret_access_key': 'secret', 'region_name': 'eu-west-1'}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch, tmp_path):
    for name in ('AWS_PROFILE', 'AWS_DEFAULT_REGION', 'AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('AWS_CONFIG_FILE', str(tmp_path / 'config'))
    monkeypatch.setenv('AWS_SHARED_CREDENTIALS_FILE', str(tmp_path / 'credentials'))
    monkeypatch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
    return tmp_path


def timeouts(connection):
    return connection.client.meta.config.read_timeout, connection.polling.meta.config.read_timeout


def test_nothing_means_boto3s_own_configuration(monkeypatch):
    monkeypatch.setenv('AWS_DEFAULT_REGION', 'ap-south-1')
    monkeypatch.setenv('AWS_ENDPOINT_URL_SWF', 'http://127.0.0.1:4567')
    connection = connect()
    assert (connection.backend, connection.region) == ('http://127.0.0.1:4567', 'ap-south-1')
    assert timeouts(connection) == (20, 70)


def test_a_boto3_session():
    connection = connect(boto3.session.Session(**KEYS))
    assert (connection.backend, connection.region) == ('https://swf.eu-west-1.amazonaws.com', 'eu-west-1')
    assert timeouts(connection) == (20, 70)
    assert connection.client.meta.config.retries == {'total_max_attempts': 1, 'mode': 'standard'}


@pytest.mark.thorough
def test_a_botocore_session_keeps_its_own_configuration():
    session = botocore.session.Session()
    session.set_credentials('key', 'secret')
    session.set_default_client_config(Config(region_name='us-west-2', user_agent_extra='shop/1.0'))
    connection = connect(session)
    assert connection.region == 'us-west-2'
    assert connection.client.meta.config.user_agent_extra == 'shop/1.0'
    assert timeouts(connection) == (20, 70)


def test_a_config_is_merged():
    config = Config(read_timeout=30, connect_timeout=3, max_pool_connections=7, retries={'total_max_attempts': 4})
    connection = connect(boto3.session.Session(**KEYS), config=config)
    assert timeouts(connection) == (30, 70)
    made = connection.polling.meta.config
    assert (made.connect_timeout, made.max_pool_connections) == (3, 7)
    assert made.retries['total_max_attempts'] == 4
    assert made.tcp_keepalive


@pytest.mark.parametrize('address', ['http://127.0.0.1:4567', 'https://swf.example.org'])
def test_an_address_needs_no_credentials(address):
    connection = connect(address)
    assert (connection.backend, connection.region) == (address, 'us-east-1')


def test_an_error_does_not_tell_of_retries_that_nobody_requested():
    with LocalSWF() as service, HttpServer(service) as server:
        connection = connect(server.url)
        with closing(connection), pytest.raises(ClientError) as raised:
            connection.client.describe_domain(name='shop')
    assert str(raised.value) == (
        'An error occurred (UnknownResourceFault) when calling the DescribeDomain operation: Unknown domain: shop'
    )


def test_a_client_is_used_as_it_is():
    client = boto3.client('swf', **KEYS)
    connection = connect(client)
    assert connection.client is connection.polling is client
    assert connection.backend == 'https://swf.eu-west-1.amazonaws.com'


def test_a_local_service_is_used_as_it_is():
    with LocalSWF() as service:
        connection = connect(service)
        assert connection.client is service
        assert connection.backend == 'local::memory:'


def test_a_connection_stays_what_it_is():
    connection = connect('http://127.0.0.1:4567')
    assert connect(connection) is connection


def test_a_config_is_refused_where_the_client_exists():
    with pytest.raises(TypeError, match='config applies to a client that genflow creates'):
        connect(boto3.client('swf', **KEYS), config=Config())


@pytest.mark.parametrize('thing', ['localhost:4567', 7, object()])
def test_anything_else_is_refused(thing):
    with pytest.raises(TypeError, match='it must be None, a SWF client, a boto3 or botocore session'):
        connect(thing)


@pytest.mark.parametrize('kind', [str, Path])
def test_a_path_is_a_file_of_the_embedded_service(tmp_path, kind):
    connection = connect(kind(tmp_path / 'x.db'))
    connection.client.register_domain(name='shop', workflowExecutionRetentionPeriodInDays='7')
    assert connection.is_ours
    connection.close()
    with LocalSWF(tmp_path / 'x.db') as swf:
        assert swf.is_leader
        assert swf.describe_domain(name='shop')['domainInfo']['status'] == 'REGISTERED'
