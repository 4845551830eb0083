"""Makes a client with the methods of boto3's SWF client from whatever the application passes as ``layer1``.

``layer1`` is accepted by every entry point of the worker side:

* nothing: boto3's own chain of configuration (environment, profile, ``AWS_ENDPOINT_URL_SWF``, roles);
* a client: boto3's, or anything with its methods, such as ``LocalSWF``. It is used as it is;
* a boto3 or botocore session, from which a client is made;
* a boto 2 ``Layer1``;
* an ``http://`` or ``https://`` address;
* the path of a file of the embedded service, which all processes of this machine share.

The kind is recognised by an object's attributes, never by importing the library it comes from.

Where genflow creates the client, it creates two: one for polls, with a read time-out of 70 seconds, since SWF holds a
poll for 60; and one for everything else, with a shorter read time-out. Neither retries by itself;
:mod:`genflow.swf.aws.client` decides which calls are repeated, and when. If the application's own client runs into its
read time-out during a poll, that counts as an empty poll.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from attrs import Factory, evolve, field, frozen

from genflow.swf.aws.fast_clients import page_requests_of

__all__ = ['POLL_SECONDS', 'Connection', 'connect']

POLL_SECONDS = 60
"""How long SWF holds a poll (API reference of ``PollForDecisionTask``)."""

READ_TIMEOUT = 20
"""Seconds to wait for the answer to anything but a poll."""


CONNECTIONS = 50
"""Sockets that a client may hold: polls occupy one each, and boto3's own bound is 10."""


_ADDRESS = re.compile(r'://|^\s*$|^[\w.-]+:\d+(/|$)')


@frozen
class Connection:
    """A client with its address and region for messages.

    Attributes:
        client: Has the methods of boto3's SWF client.
        backend: The address of the service, or the name of an in-process service.
        region: The region, ``None`` if the service has none.
        polling: The client for polls; ``client`` unless given.
        is_ours: Whether genflow created the clients, and so closes them.
    """

    client: Any
    backend: str
    region: str | None = None
    polling: Any = field(default=Factory(lambda self: self.client, takes_self=True))
    is_ours: bool = False

    def close(self) -> None:
        """Closes the idle sockets of the clients that genflow created; calls in flight continue."""
        if not self.is_ours:
            return
        for client in (self.client, self.polling):
            client.close()
            requests = page_requests_of(client)
            if requests is not None:
                requests.close()


def connect(layer1: Any = None, *, config: Any = None) -> Connection:
    """Makes a connection from ``layer1``.

    Args:
        layer1: See the docstring of this module.
        config: A botocore ``Config`` for clients that genflow creates. Its settings are kept, but for polls a read
            time-out shorter than a poll is lengthened.

    Raises:
        TypeError: ``layer1`` is none of these, or ``config`` was given for a client that exists already.
    """
    if isinstance(layer1, Connection):
        return layer1
    for recognises, connected in _KINDS:
        if recognises(layer1):
            return connected(layer1, config)
    raise TypeError(
        f'layer1 is {layer1!r}; it must be None, a SWF client, a boto3 or botocore session, a boto 2 Layer1, '
        'a LocalSWF, an http:// address, or the path of a file'
    )


def _default(layer1: None, config: Any) -> Connection:
    import boto3  # noqa: PLC0415 - a second to import; who brings a client of his own need not wait for it

    return _from_boto3_session(boto3.session.Session(), config)


def _from_boto3_session(session: Any, config: Any) -> Connection:
    return _made(session.client, config)


def _from_botocore_session(session: Any, config: Any) -> Connection:
    return _made(session.create_client, config)


def _from_address(address: str, config: Any) -> Connection:
    import boto3  # noqa: PLC0415 - as above

    session = boto3.session.Session()
    # A server of our own asks for no credentials, but botocore signs every request.
    anonymous = session.get_credentials() is None
    keys = {'aws_access_key_id': 'anonymous', 'aws_secret_access_key': 'anonymous'} if anonymous else {}
    region = session.region_name or 'us-east-1'
    return _made(session.client, config, endpoint_url=address, region_name=region, **keys)


def _from_path(path: str | os.PathLike[str], config: Any) -> Connection:
    """A service on a file, which is closed with the connection.

    The module of the embedded service is imported by name, and only for a path, so that this package does not depend on
    it.
    """
    _refuse(config, path)
    service = import_module('genflow.local').LocalSWF(path)
    return evolve(_described(service), is_ours=True)


def _made(make: Callable[..., Any], config: Any, **options: Any) -> Connection:
    """A connection of clients that ``make`` makes."""
    from genflow.swf.aws.fast_reading import fast  # noqa: PLC0415 - a service in process needs none of it

    client = make('swf', config=_configured(config, READ_TIMEOUT), **options)
    polling = make('swf', config=_configured(config, POLL_SECONDS + 10), **options)
    for made in (client, polling):
        fast(made).meta.events.register('after-call.swf', _forget_retries)
    return evolve(_described(client), polling=polling, is_ours=True)


def _forget_retries(parsed: dict[str, Any], **_: Any) -> None:
    """Keeps "(reached max retries: 0)" out of the text of every error: no retry was asked for, and none was made."""
    metadata = parsed.get('ResponseMetadata', {})
    if not metadata.get('RetryAttempts'):
        metadata.pop('MaxAttemptsReached', None)


def _from_client(client: Any, config: Any) -> Connection:
    _refuse(config, client)
    return _described(client)


def _from_boto2(layer1: Any, config: Any) -> Connection:
    from genflow.swf.aws.boto2 import Boto2Client  # noqa: PLC0415 - only here, and it loads botocore

    _refuse(config, layer1)
    client = Boto2Client(layer1)
    return Connection(client, client.address, client.region)


def _described(client: Any) -> Connection:
    meta = getattr(client, 'meta', None)
    address = getattr(meta, 'endpoint_url', None)
    return Connection(client, address or repr(client), getattr(meta, 'region_name', None))


def _configured(config: Any, read_timeout: int) -> Any:
    """``config`` with a worker's defaults for settings that it does not have."""
    from botocore.config import Config  # noqa: PLC0415 - as above

    ours = Config(
        read_timeout=read_timeout,
        retries={'total_max_attempts': 1, 'mode': 'standard'},
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
    )
    if config is None:
        return ours
    return ours.merge(config).merge(Config(read_timeout=max(read_timeout, config.read_timeout)))


def _refuse(config: Any, client: Any) -> None:
    if config is not None:
        raise TypeError(f'config applies to a client that genflow creates, but {client!r} is one')


def _has(*names: str) -> Any:
    return lambda layer1: all(callable(getattr(layer1, name, None)) for name in names)


def _is_address(layer1: Any) -> bool:
    return isinstance(layer1, str) and layer1.lower().startswith(('http://', 'https://'))


def _is_path(layer1: Any) -> bool:
    """Whether it is a path, and not an address without its ``http://``."""
    return isinstance(layer1, os.PathLike) or (isinstance(layer1, str) and not _ADDRESS.search(layer1))


def _is_boto2(layer1: Any) -> bool:
    # Asked of the class: an object that passes everything on to a boto3 client would seem to have the method too.
    return callable(getattr(type(layer1), 'json_request', None))


_KINDS = (
    (lambda layer1: layer1 is None, _default),
    (_is_address, _from_address),
    (_is_path, _from_path),
    # Before the clients, whose methods a boto 2 Layer1 has by name, with other arguments.
    (_is_boto2, _from_boto2),
    (_has('poll_for_decision_task', 'respond_decision_task_completed'), _from_client),
    (_has('create_client'), _from_botocore_session),
    (_has('client', 'get_available_services'), _from_boto3_session),
)
"""For each kind of ``layer1``, a predicate that recognises it and a function that makes the connection; the first match
counts."""
