"""An order with an attempt that fails, a timer and a child: what the telemetry of a run is looked at with."""

from __future__ import annotations

from contextlib import contextmanager

from genflow import Activity, Client, Retry, Workflow
from genflow.swf.scanner import activity, workflow
from genflow.swf.worker.worker import Worker
from tests.swf.work import registry_of

LONG = 60
PAYLOAD = 'a card number'


@activity('Charge', 1, 'tl')
class Charge(Activity):
    def run(self, amount):
        if self.info.attempt == 1:
            raise ValueError(PAYLOAD)
        return amount


@activity('Ship', 1, 'tl')
class Ship(Activity):
    async def run(self, amount):
        return amount


@workflow('Parcel', 1, 'tl')
class Parcel(Workflow):
    ship = Ship.proxy()

    def run(self, amount):
        return (yield self.ship(amount))


@workflow('Order', 1, 'tl')
class Order(Workflow):
    charge = Charge.proxy(retry=Retry(3, initial_interval=0))
    parcel = Parcel.proxy()

    def run(self, amount, fails=False):
        yield self.charge(amount)
        yield self.sleep(0)
        yield self.parcel(amount)
        if fails:
            raise LookupError(PAYLOAD)
        return amount


REGISTRY = registry_of(Charge, Ship, Parcel, Order)


@contextmanager
def working(service, middleware, registry=REGISTRY, **options):
    """A worker that finishes what it has taken, and what it tells of it, before it stops."""
    worker = Worker('d', 'tl', service, registry=registry, middleware=middleware, **options)
    worker.start()
    try:
        yield worker
    finally:
        worker.drain(LONG)
        worker.wait()


def finish(service, middleware, *args, client=None, **options):
    """Runs an order to its end; its handle."""
    with working(service, middleware, **options):
        started = Client('d', service, middleware=middleware if client is None else client).starter(Order)(*args)
        started.wait(timeout=LONG)
    return started
