"""A transfer of money between accounts: the classic first workflow of every engine."""

from __future__ import annotations

import logging
import random
import time
from datetime import datetime, timezone
from uuid import uuid4

from genflow import ActivityFailed, ActivityProxy, Retry, Saga, Workflow, workflow

log = logging.getLogger(__name__)
FEES = {'EUR': 1, 'USD': 2}


@workflow(name='Transfer', version=1, task_list='bank')
class Transfer(Workflow):
    withdraw = ActivityProxy('Withdraw', '1', retry=5)
    deposit = ActivityProxy('Deposit', '1', retry=Retry(5))
    notify = ActivityProxy('Notify', '1')
    audit = ActivityProxy('Audit', '1', error_handling=True)

    def run(self, source, target, amount, currency='EUR'):
        reference = str(uuid4())  # finds G003
        started = datetime.now(timezone.utc)  # finds G001
        saga = Saga()
        try:
            yield self.withdraw(source, amount + FEES[currency], reference)  # finds G110
            saga.add(self.deposit, source, amount)
            yield self.deposit(target, amount, reference)
        except ActivityFailed:
            saga.compensate()  # finds G109
            raise
        self.notify(target, amount)  # finds G101
        self.audit(reference)
        if self.notify(source, amount):  # finds G102
            log.info('told')
        self.sleep(60)  # finds G101
        time.sleep(random.uniform(0, 1))  # finds G008 G002
        return {'reference': reference, 'started': started.isoformat()}


@workflow(name='TransferDone', version=1, task_list='bank')
class TransferDone(Workflow):
    """The same without mistakes."""

    withdraw = ActivityProxy('Withdraw', '1', retry=Retry(5))
    deposit = ActivityProxy('Deposit', '1', retry=Retry(5))

    def run(self, source, target, amount, currency='EUR'):
        reference = str(self.uuid4())
        saga = Saga()
        try:
            saga.add(self.deposit, source, amount)
            yield self.withdraw(source, amount + FEES[currency], reference)
            yield self.deposit(target, amount, reference)
        except BaseException:
            yield from saga.compensate()
            raise
        yield self.sleep(self.random.uniform(0, 1))
        return {'reference': reference, 'at': self.now().isoformat()}
