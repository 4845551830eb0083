"""Booking a trip with helpers in another module and in a base class."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from helpers import deadline, parse_name, price_of, remember, seen

from genflow import ActivityProxy, Signal, TaskTimeout, Workflow, all_of, any_of, query, workflow


class Booking(Workflow):
    book = ActivityProxy('Book', '1')
    cancel_booking = ActivityProxy('Cancel', '1')
    approve = Signal()
    trips: list = []

    def limit(self):
        return os.environ['LIMIT']  # finds G004

    def region(self):
        return self.side_effect(lambda: os.environ['REGION'])

    def booked(self, city):
        return (yield self.book(city))

    @query
    def status(self):
        return os.getpid()  # asked live, never replayed


@lru_cache
def rate(country):  # finds G014
    return len(country)


@workflow(name='Trip', version=1, task_list='trips')
class Trip(Booking):
    def run(self, cities, name):
        self.trips.append(name)  # finds G013
        self.region()
        limit = self.limit()
        wanted = set(cities)
        for city in wanted:  # finds G010
            yield self.booked(city)
        results = yield [self.booked(city) for city in sorted(wanted)]
        count = sum(len(city) for city in wanted)
        first = list({city.lower() for city in cities})[0]  # finds G010
        remember(name)
        if name in seen():
            return None
        until = deadline(self)
        price = price_of(first) * rate('at')
        yield (self.book(city) for city in cities)  # finds G103
        word = yield self.confirm.get()  # finds G108
        other = yield self.approve.get().timeout(5)
        text = Path(name).read_text()  # finds G005
        return [results, count, limit, until, price, word, other, text, parse_name(name)]


@workflow(name='Careful', version=1, task_list='trips')
class Careful(Booking):
    def run(self, cities):
        order = dict.fromkeys(cities)
        tasks = [self.booked(city) for city in order]
        try:
            results = yield all_of(tasks)
        except TaskTimeout:
            self.failed = True
            results = []
        approved = self.approve.get()
        winner = yield any_of(approved, self.sleep(10))
        if winner is approved and approved.done():
            return approved.result()
        call = self.book('late')
        if call.done() or len(self.approve):
            return (yield call)
        return self.restart(results)
