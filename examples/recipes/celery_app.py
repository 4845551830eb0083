"""Celery beside genflow: a Celery task starts a workflow, and an activity hands its work to Celery.

Both workers run side by side: ``celery -A celery_app worker``, and
``genflow worker celery_app.py --domain shop --task-list invoices``.
"""

from __future__ import annotations

import os
from functools import cache

from celery import Celery

from genflow import Client, Steps, SuspendTask, Workflow, activity, current_activity, workflow
from genflow.swf.boilerplate import async_scheduler
from genflow.swf.client.async_completion import AsyncCompletion

DOMAIN, SERVICE = 'shop', os.environ.get('ORDERS_SERVICE')
app = Celery('celery_app', broker=os.environ.get('CELERY_BROKER', 'memory://'))


@cache
def client() -> Client:
    """One for each process of Celery, made when it is first needed: after the fork."""
    return Client(DOMAIN, SERVICE)


@cache
def completion() -> AsyncCompletion:
    return async_scheduler(DOMAIN, client().service.connection)


@app.task
def start_invoice(order: int) -> None:
    """A Celery task, from a beat schedule or a web request, begins what has to survive."""
    client().starter(Invoice, workflow_id=f'invoice-{order}', if_open='join')(order)


@app.task
def render(token: str, order: int) -> bool:
    """Does the work of an activity in Celery, and answers it by its token; false if that came too late."""
    return completion().complete(token, f'invoice {order}')


@activity(name='RenderInvoice', version=1, task_list='invoices', start_to_close=3600, schedule_to_close=7200)
def render_invoice(order: int) -> str:
    render.delay(current_activity().token, order)
    raise SuspendTask  # frees the worker; start_to_close is the limit if Celery loses the task


@workflow(name='Invoice', version=1, task_list='invoices')
class Invoice(Workflow):
    render_invoice = render_invoice.proxy()

    def run(self, order: int) -> Steps[str]:
        return (yield from self.render_invoice(order))
