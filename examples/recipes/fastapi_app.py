"""Orders over HTTP with FastAPI: ``uvicorn fastapi_app:app``. No handler blocks the event loop.

``ORDERS_SERVICE`` is a file of the embedded service or an address; without it, Amazon SWF as boto3 is configured.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from shop import DOMAIN, Order

from genflow import AsyncClient, AsyncExecution

router = APIRouter(prefix='/orders/{number}')


def create_app(service: Any = None) -> FastAPI:
    app = FastAPI(lifespan=partial(lifespan, service))
    app.include_router(router)
    return app


@asynccontextmanager
async def lifespan(service: Any, app: FastAPI) -> AsyncIterator[None]:
    """One client serves all requests; its threads end with the server."""
    async with AsyncClient(DOMAIN, service) as client:
        app.state.client = client
        yield


async def execution_of(number: int, request: Request) -> AsyncExecution[str]:
    execution = request.app.state.client.execution(f'order-{number}', workflow=Order)
    try:
        await execution.status()
    except LookupError as error:
        raise HTTPException(404, str(error)) from None
    return execution


Existing = Annotated[AsyncExecution[str], Depends(execution_of)]


@router.put('', status_code=202)
async def start(number: int, request: Request) -> dict[str, str]:
    """Starting twice is one execution, so a client may repeat a request whose answer was lost."""
    starter = request.app.state.client.starter(Order, workflow_id=f'order-{number}', if_open='join')
    return {'id': (await starter(number)).workflow_id}


@router.get('')
async def look(execution: Existing) -> dict[str, str]:
    return {'state': await execution.query(Order.current, wait=5)}


@router.post('/approval', status_code=202)
async def approve(execution: Existing, approved: bool = True) -> None:
    await execution.signal(Order.approval, approved)


@router.get('/receipt')
async def receipt(execution: Existing, wait: float = 20) -> dict[str, str]:
    """Waits for the result, and meanwhile occupies no thread."""
    try:
        return {'receipt': await execution.result(timeout=wait)}
    except TimeoutError:
        raise HTTPException(503, 'not yet', {'Retry-After': '5'}) from None


app = create_app(os.environ.get('ORDERS_SERVICE'))
