"""An order as a saga: what was done is undone, in reverse, if a later step fails.

genflow run examples/order.py 42 book
genflow run examples/order.py 42 anvil
"""

from __future__ import annotations

from genflow import Activity, Retry, Saga, Steps, Workflow, activity, workflow

TOO_HEAVY = {'anvil'}


class NotShipped(Exception):
    """The goods do not leave the house."""


@activity(name='Reserve', version=1, task_list='orders')
class Reserve(Activity):
    def run(self, item: str) -> str:
        return f'shelf of {item}'


@activity(name='Release', version=1, task_list='orders')
class Release(Activity):
    def run(self, place: str) -> None:
        print(f'released {place}')


@activity(name='Charge', version=1, task_list='orders')
class Charge(Activity):
    """Asks for money once, however often it is tried: the key is the same for each attempt."""

    def run(self, order: int) -> str:
        return f'receipt {order} {self.idempotency_key}'


@activity(name='Refund', version=1, task_list='orders')
class Refund(Activity):
    def run(self, receipt: str) -> None:
        print(f'refunded {receipt.split()[1]}')


@activity(name='Ship', version=1, task_list='orders')
class Ship(Activity):
    def run(self, item: str) -> str:
        if item in TOO_HEAVY:
            raise NotShipped(f'{item} is too heavy')
        return f'parcel with {item}'


@workflow(name='Order', version=1, task_list='orders')
class Order(Workflow):
    reserve = Reserve.proxy()
    release = Release.proxy(retry=Retry(11))
    charge = Charge.proxy(retry=Retry(4))
    refund = Refund.proxy(retry=Retry(11))
    ship = Ship.proxy(raises=(NotShipped,))

    def run(self, order: int, item: str) -> Steps[str]:
        saga = Saga()
        try:
            place = yield from self.reserve(item)
            saga.add(self.release, place)
            receipt = yield from self.charge(order)
            saga.add(self.refund, receipt)
            parcel = yield from self.ship(item)
        except NotShipped as error:
            yield from saga.compensate()
            return f'order {order} was undone: {error}'
        except BaseException:
            yield from saga.compensate()
            raise
        return f'order {order}: {parcel}'
