"""The workflow, and an activity that uses the ORM."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.db import close_old_connections

from genflow import Client, Retry, Steps, Workflow, activity, current_activity, workflow


@cache
def client() -> Client:
    """One for the process, made when it is first needed: after the server has forked."""
    return Client(settings.GENFLOW_DOMAIN, settings.GENFLOW_SERVICE)


@activity(name='WriteReceipt', version=1, task_list='django')
def write_receipt(purchase: int) -> str:
    from django_shop.models import Purchase  # the models are there once Django is set up

    close_old_connections()  # a worker's thread lives longer than a request, and its connection may have gone
    receipt = f'receipt {purchase}, {current_activity().idempotency_key}'
    # Only where there is none: the attempt before may have written one, and died before it could tell.
    Purchase.objects.filter(pk=purchase, receipt='').update(receipt=receipt)
    return Purchase.objects.get(pk=purchase).receipt


@workflow(name='Buy', version=1, task_list='django')
class Buy(Workflow):
    write_receipt = write_receipt.proxy(retry=Retry(5))

    def run(self, purchase: int) -> Steps[str]:
        return (yield from self.write_receipt(purchase))
