"""A WSGI application that starts orders, for a server that forks: ``gunicorn -c gunicorn_conf.py wsgi_app``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from shop import DOMAIN, Order

from genflow import Client


@cache
def client() -> Client:
    """One for each process, made by its first request: sockets and threads do not survive a fork."""
    return Client(DOMAIN, os.environ.get('ORDERS_SERVICE'))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    number = int(environ['PATH_INFO'].rpartition('/')[2])
    execution = client().starter(Order, workflow_id=f'order-{number}', if_open='join')(number)
    start_response('202 Accepted', [('Content-Type', 'application/json')])
    return [json.dumps({'id': execution.workflow_id, 'process': os.getpid()}).encode()]
