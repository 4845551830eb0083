"""gunicorn with an application that is imported once and then forked."""

from __future__ import annotations

from typing import Any

workers = 2
preload_app = True  # importing the application makes no client: see wsgi_app.client


def worker_exit(server: Any, worker: Any) -> None:
    from wsgi_app import client

    if client.cache_info().currsize:
        client().close()
