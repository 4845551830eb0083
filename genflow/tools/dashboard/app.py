"""The dashboard as an ASGI application: its routes."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from genflow.tools.dashboard.pages import lists, one
from genflow.tools.dashboard.pages.acting import act, preview
from genflow.tools.dashboard.pages.live import live_execution, live_executions
from genflow.tools.dashboard.security import Guard, logged_in
from genflow.tools.dashboard.site import FOLDER, Handler, Site, answering

__all__ = ['application']

PAGES: dict[str, Handler] = {
    '/': lists.executions,
    '/executions.txt': lists.export_ids,
    '/workers': lists.workers,
    '/types': lists.types,
    '/execution': one.execution,
    '/execution/event': one.event,
    '/execution.json': one.as_json,
    '/execution.html': one.as_html,
    '/act': preview,
}
"""The read-only pages, by path."""

STATIC = {'style.css': 'text/css', 'dashboard.js': 'text/javascript'}

MOST_BYTES = 2_000_000
"""Of a form: as many executions as something is done to at once, and more."""

MOST_FIELDS = 5000


def application(site: Site) -> ASGIApp:
    """The application; every request passes the guard first."""
    routes = [Route(path, answering(site, handler), methods=['GET']) for path, handler in PAGES.items()]
    routes += [
        Route('/act', acting(site), methods=['POST']),
        Route('/live/execution', opening(site, live_execution), methods=['GET']),
        Route('/live/executions', opening(site, live_executions), methods=['GET']),
        Route('/login', logging_in(site), methods=['GET', 'POST']),
        Route('/static/{name}', static, methods=['GET']),
        Route('/favicon.ico', favicon, methods=['GET']),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={404: missing(site)}), site.policy)


async def form_of(request: Request) -> FormData:
    """The fields of a form as browsers send it."""
    body = b''
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f'A form has at most {MOST_BYTES:,} bytes.')
    try:
        pairs: list[tuple[str, Any]] = list(
            parse_qsl(body.decode('ascii'), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors='replace')
        )
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f'The form cannot be read: {error}.') from error
    return FormData(pairs)


def acting(site: Site) -> Callable[[Request], object]:
    async def post(request: Request) -> Response:
        form = await form_of(request)
        return await run_in_threadpool(answering(site, lambda site, request: act(site, request, form)), request)

    return post


def opening(site: Site, handler: Handler) -> Callable[[Request], object]:
    async def stream(request: Request) -> Response:
        return handler(site, request)

    return stream


def logging_in(site: Site) -> Callable[[Request], object]:
    async def login(request: Request) -> Response:
        if site.policy.token is None:
            return RedirectResponse('/', HTTPStatus.SEE_OTHER)
        if request.method == 'GET':
            return site.render(request, 'login.html', wrong=False)
        form = await form_of(request)
        if site.policy.is_token(str(form.get('token', ''))):
            return logged_in(site.policy)
        return site.render(request, 'login.html', HTTPStatus.FORBIDDEN, wrong=True)

    return login


async def static(request: Request) -> Response:
    """The style sheet and the script."""
    name = request.path_params['name']
    if name not in STATIC:
        return PlainTextResponse('There is no such file.\n', HTTPStatus.NOT_FOUND)
    headers = {'cache-control': 'no-cache'}
    return FileResponse(FOLDER / 'static' / name, media_type=STATIC[name], headers=headers)


async def favicon(request: Request) -> Response:
    return Response(status_code=HTTPStatus.NO_CONTENT)


def missing(site: Site) -> Callable[[Request, Exception], Response]:
    def not_found(request: Request, error: Exception) -> Response:
        text = f'There is no page {request.url.path}.'
        return site.render(request, 'error.html', HTTPStatus.NOT_FOUND, text=text)

    return not_found
