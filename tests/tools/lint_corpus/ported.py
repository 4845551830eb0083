"""Workflows that other engines show in their examples, written anew as somebody would who comes from there."""

from __future__ import annotations

import json
import logging
import os
import random
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import genflow
from genflow import (
    ActivityFailed,
    ActivityProxy,
    Retry,
    Saga,
    Signal,
    TaskFailed,
    TaskTimeout,
    Workflow,
    WorkflowCanceled,
    WorkflowProxy,
    activity,
    all_of,
    any_of,
    as_completed,
    first_of,
    query,
    update,
    workflow,
)

logger = logging.getLogger(__name__)
CONFIG = json.loads('{"limit": 3}')
REGIONS = ('eu', 'us')
STATE: dict[str, Any] = {}


@dataclass
class Customer:
    email: str
    trial: int = 30
    charges: list[int] = field(default_factory=list)


@activity('send_email', 1, task_list='mail', start_to_close=None)  # finds G111
def send_email(to, text):
    Path('/tmp/mail').write_text(text)
    return time.time()


@workflow('Subscription', 1, task_list='subs')
class Subscription(Workflow):
    """A trial, then a charge each period until somebody cancels."""

    email = send_email.proxy()
    charge = ActivityProxy('charge', '1', retry=3)
    cancel_subscription = Signal()
    amount = Signal[int]()
    price = 10

    def run(self, customer, periods=12):
        yield self.email(customer['email'], 'welcome')
        done = self.cancel_subscription.get()
        name, _ = yield first_of(done=done, trial=self.sleep(timedelta(days=customer['trial']).total_seconds()))
        if name == 'done':
            self.email(customer['email'], 'sorry to see you go')  # finds G101
            return 'canceled in trial'
        for period in range(periods):
            for change in self.amount.drain():
                self.price = change
            try:
                yield self.charge(customer, self.price)  # finds G110
            except ActivityFailed:
                yield self.email(customer['email'], 'the card was declined')
            winner = yield any_of(done, self.sleep(30 * 86400))
            if winner is done:
                return f'canceled after {period}'
            logger.info('period %s is over', period)
        yield self.email(customer['email'], f'thank you, {datetime.now():%Y}')  # finds G001
        return 'over'

    @query
    def current_price(self):
        return self.price


@workflow('Trip', 1, task_list='trips')
class Trip(Workflow):
    book_car = ActivityProxy('book_car', '1')
    book_hotel = ActivityProxy('book_hotel', '1')
    book_flight = ActivityProxy('book_flight', '1')
    cancel_car = ActivityProxy('cancel_car', '1', retry=Retry(10))
    cancel_hotel = ActivityProxy('cancel_hotel', '1', retry=Retry(10))
    cancel_flight = ActivityProxy('cancel_flight', '1', retry=Retry(10))

    def run(self, trip):
        compensations = []
        try:
            compensations.append(self.cancel_car)
            car = yield self.book_car(trip)
            compensations.append(self.cancel_hotel)
            hotel = yield self.book_hotel(trip)
            compensations.append(self.cancel_flight)
            flight = yield self.book_flight(trip)
        except Exception:
            for undo in reversed(compensations):
                yield undo(trip)
            raise
        return {'car': car, 'hotel': hotel, 'flight': flight, 'id': uuid.uuid4().hex}  # finds G003


@workflow('Dsl', 1, task_list='dsl')
class Dsl(Workflow):
    """Runs a tree of steps."""

    def run(self, root, variables):
        self.variables = dict(variables)
        yield from self.execute(root)
        return self.variables

    def execute(self, node):
        if 'activity' in node:
            result = yield self.bind(ActivityProxy(node['activity'], '1'))(*[self.variables[a] for a in node['args']])
            if node.get('result'):
                self.variables[node['result']] = result
        elif 'sequence' in node:
            for element in node['sequence']:
                yield from self.execute(element)
        elif 'parallel' in node:
            yield [self.execute(branch) for branch in node['parallel']]


@lru_cache
def shard_of(key):  # finds G014
    return hash(key) % 4  # finds G011


@workflow('FanOut', 1, task_list='fan')
class FanOut(Workflow):
    crawl = ActivityProxy('crawl', '1', retry=Retry(3))
    seen: set[str] = set()

    def run(self, start, depth=2):
        pages = {start}
        for _ in range(depth):
            found = yield [self.crawl(page) for page in pages]  # finds G010
            pages = {link for links in found for link in links} - self.seen
            self.seen.update(pages)  # finds G013
        counts = defaultdict(int)
        for page in sorted(self.seen):
            counts[shard_of(page)] += 1
        return dict(counts)


@workflow('Mutex', 1, task_list='lock')
class Mutex(Workflow):
    request = Signal()
    release = Signal()

    def run(self, resource, timeout=30):
        while True:
            sender = yield self.request.get()
            token = str(self.uuid4())
            yield self.external(sender).signal('acquired', token)
            try:
                yield self.release.get(match=lambda got: got == token).timeout(timeout)
            except TaskTimeout:
                self.logger.warning('%s kept %s too long', sender, resource)
            if self.info.restart_suggested:
                return self.restart(resource, timeout)


@workflow('Timer', 1, task_list='timer')
class UpdatableTimer(Workflow):
    def run(self, wake):
        self.wake = wake
        while True:
            left = self.wake - time.time()  # finds G001
            if left <= 0:
                break
            changed = self.until(lambda: self.wake != wake)
            winner = yield any_of(changed, self.sleep(left))
            wake = self.wake
        return 'awake'

    @update
    def move(self, wake):
        self.wake = wake
        return wake

    @move.validator
    def later(self, wake):
        if wake < self.now().timestamp():
            raise ValueError('it is past')


@workflow('Greeting', 1, task_list='greet')
class Greeting(Workflow):
    greet = ActivityProxy('greet', '1')
    child = WorkflowProxy('Child', '1')

    def run(self, name):
        greeting = self.greet(name)
        if random.random() < 0.5:  # finds G002
            time.sleep(1)  # finds G008
        results = []
        for slot in as_completed([self.greet(n) for n in ('a', 'b')]):
            results.append((yield slot))
        child = self.child(name)
        yield child.signal('go')
        text = (yield greeting) + (yield child)
        return text, results, os.getenv('LANG')  # finds G004


@workflow('Expense', 1, task_list='expense')
class Expense(Workflow):
    create = ActivityProxy('create', '1')
    pay = ActivityProxy('pay', '1', error_handling=True)
    approve = Signal()

    def run(self, expense):
        yield self.create(expense)
        status = yield self.aprove.get()  # finds G108
        if status != 'APPROVED':
            return ''
        self.pay(expense)
        STATE[expense] = status  # finds G012
        return 'paid'


@workflow('Cron', 1, task_list='cron')
class Cron(Workflow):
    job = ActivityProxy('job', '1')

    def run(self, times, seconds, runs=0):
        for _ in range(times):
            try:
                yield self.job(self.now().isoformat())
            except:  # finds G105
                logger.exception('job failed')
            yield self.sleep(seconds)
        if runs < 10:
            self.restart(times, seconds, runs + 1)  # finds G107


@workflow('Files', 1, task_list='files')
class Files(Workflow):
    download = ActivityProxy('download', '1', heartbeat=120, start_to_close=60)  # finds G112
    process = ActivityProxy('process', '1')
    upload = ActivityProxy('upload', '1')

    def run(self, names):
        results = yield self.map(self.one, sorted(names), limit=CONFIG['limit'])
        if not os.path.exists('/tmp'):  # finds G005
            raise RuntimeError('no folder')
        return [r for r in results if r]

    def one(self, name):
        local = yield self.download(name)
        with self.options(task_list=local['host']):
            try:
                result = yield self.process(local['path'])
                return (yield self.upload(result))
            finally:
                logger.info('%s is over', name)  # finds G106


@workflow('Batch', 1, task_list='batch')
class Batch(Workflow):
    load = ActivityProxy('load', '1')
    done = Signal()

    def run(self, offset=0, page=100):
        records = yield self.load(offset, page)
        waiting = set(records)
        while waiting:
            waiting.discard((yield self.done.get()))
        total = sum(self.load(o, 1) for o in range(3))  # finds G102
        if records:
            return self.restart(offset + page, page)
        return total
