"""More of what other engines show: monitors, windows, chats, agents, batches and steps behind decorators."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import random
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Any, NamedTuple

import requests

from genflow import (
    ActivityProxy,
    Retry,
    Signal,
    Steps,
    TaskFailed,
    TaskTimeout,
    Workflow,
    WorkflowProxy,
    activity,
    all_of,
    any_of,
    as_completed,
    query,
    update,
    workflow,
)

SESSION = requests.Session()
LOCK = threading.Lock()
IDS = itertools.count(1)
WEATHER = {'clear': 1, 'rain': 2}
MAX_TURNS = 20


class State(Enum):
    WAITING = 'waiting'
    DONE = 'done'


class Window(NamedTuple):
    size: int
    offset: int = 0


@dataclass
class Turn:
    who: str
    text: str
    at: datetime = field(default_factory=datetime.now)


@dataclass
class Chat:
    turns: list[Turn] = field(default_factory=list)

    def say(self, who: str, text: str) -> None:
        self.turns.append(Turn(who, text, datetime(2026, 1, 1)))


def step(retries: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Logs how long a method takes, as people are used to do it."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def inner(*args: Any, **options: Any) -> Any:
            begun = time.perf_counter()  # finds G001
            try:
                return function(*args, **options)
            finally:
                options['spent'] = time.perf_counter() - begun, retries  # finds G001

        return inner

    return decorate


@contextmanager
def measured(name: str):
    begun = time.monotonic()  # finds G001
    yield name
    print(name, time.monotonic() - begun)  # finds G001


def chunks(items: list[Any], size: int):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def poll(flow: Workflow, check: Callable[..., Any], every: float, until: datetime):
    """Asks again and again; the helper of several workflows."""
    while flow.now() < until:
        if (yield check()):
            return True
        yield flow.sleep(every)
    return False


def send_all(flow: Workflow, addresses: list[str]) -> None:
    for address in addresses:
        flow.notify(address)  # finds G101


@activity('read_host', 1, task_list='files', start_to_close=60)
def read_host() -> str:
    with LOCK:
        return f'{socket.gethostname()}-{uuid.uuid4()}-{next(IDS)}-{SESSION.get("http://x").text}'


@workflow('Monitor', 1, task_list='peers')
class Monitor(Workflow):
    """Looks at the weather every half hour until it is clear, for six hours at most."""

    weather = ActivityProxy('weather', 1, retry=Retry(3))
    alert = ActivityProxy('alert', 1)

    def run(self, place: str, phone: str) -> Steps[str]:
        expires = self.now() + timedelta(hours=6)
        while self.now() < expires:
            found = yield self.weather(place)
            if WEATHER.get(found, 0) == WEATHER['clear']:
                yield self.alert(phone, f'{place} is clear')
                return State.DONE.value
            following = self.now() + timedelta(minutes=30)
            yield self.sleep_until(following)
        if date.today() > expires.date():  # finds G001
            return 'late'
        return State.WAITING.value


@workflow('Phone', 1, task_list='peers')
class Phone(Workflow):
    """A code is sent and has to come back in time, three times at most."""

    send = ActivityProxy('send', 1)
    answer = Signal[int]()

    def run(self, number: str) -> Steps[bool]:
        code = self.random.randrange(1000, 9999)
        yield self.send(number, code)
        limit = self.sleep(90)
        for _ in range(3):
            reply = self.answer.get()
            if (yield any_of(reply, limit)) is limit:
                return False
            if reply.result() == code:
                limit.cancel()
                return True
        wrong = random.choice(['no', 'sorry'])  # finds G002
        self.send(number, wrong)  # finds G101
        return False


@workflow('SlidingWindow', 1, task_list='peers')
class SlidingWindow(Workflow):
    """Keeps a number of children open, and continues as new after a page."""

    page = ActivityProxy('page', 1)
    process = WorkflowProxy('Record', 1, workflow_duration=3600)
    done = Signal[int]()

    def run(self, window: list[int], progress: int = 0, open_ones: list[int] | None = None) -> Steps[Any]:
        size, offset = Window(*window)
        current = set(open_ones or ())
        for record in (yield self.page(offset, 100)):
            while len(current) >= size:
                current.discard((yield self.done.get()))
                progress += 1
            child = self.process.with_options(workflow_id=f'{self.info.workflow_id}-{record}')(record)
            child.detach()
            current.add(record)
        if not current:
            return progress
        waiting = [number for number in current if number]  # finds G010
        if offset > 10_000:
            self.restart([size, offset + 100], progress, waiting)  # finds G107
        return self.restart([size, offset + 100], progress, sorted(current))


@workflow('Talk', 1, task_list='peers')
class Talk(Workflow):
    """A chat that lives as long as somebody talks."""

    reply = ActivityProxy('reply', 1, start_to_close=120)
    summarize = ActivityProxy('summarize', 1, start_to_close=120)
    ended = Signal()
    pending: deque[str] = deque()

    def run(self, history: list[str] | None = None) -> Steps[str]:
        self.chat = Chat()
        self.queue: deque[str] = deque(history or ())
        while len(self.chat.turns) < MAX_TURNS:
            yield self.until(lambda: self.queue or len(self.ended))
            if not self.queue:
                return (yield self.summarize([turn.text for turn in self.chat.turns]))
            prompt = self.queue.popleft()
            self.chat.say('user', prompt)
            answer = yield self.reply(prompt)
            self.chat.turns.append(Turn('model', answer))  # finds G001
        return self.restart([turn.text for turn in self.chat.turns][-2:])

    @update
    def ask(self, text: str) -> int:
        self.queue.append(text)
        self.pending.append(text)  # finds G013
        return len(self.queue)

    @query
    def idle(self) -> float:
        return time.time()


def search(query_: str) -> str:
    return SESSION.get('http://search', params={'q': query_}).text  # finds G006


def add(numbers: list[float]) -> float:
    return sum(numbers)


TOOLS: dict[str, Callable[..., Any]] = {'search': search, 'add': add}


@workflow('Agent', 1, task_list='peers')
class Agent(Workflow):
    """A model that names the next tool, until it is content."""

    think = ActivityProxy('think', 1, start_to_close=300, heartbeat=30, retry=Retry(5))
    call_tool = ActivityProxy('call_tool', 1, start_to_close=60)

    def run(self, goal: str) -> Steps[Any]:
        messages = [{'role': 'user', 'content': goal}]
        for _ in range(MAX_TURNS):
            thought = yield self.think(messages)
            if thought.get('answer'):
                return thought['answer']
            calls = [self.call_tool(call['name'], call['arguments']) for call in thought['calls']]
            for call, result in zip(thought['calls'], (yield calls), strict=True):
                messages.append({'role': 'tool', 'content': json.dumps({call['id']: result})})
            local = TOOLS[thought['name']](thought['input'])
            messages.append({'role': 'tool', 'content': local})
        return None


@workflow('Batch', 1, task_list='peers')
class Batch(Workflow):
    """Pages of a table, each in parallel, with what failed at the end."""

    load = ActivityProxy('load', 1)
    count = ActivityProxy('count', 1)
    notify = ActivityProxy('notify', 1)
    host = read_host.proxy()

    def run(self, table: list[Any]) -> Steps[Any]:
        failed, total = [], 0
        for chunk in chunks(table, 10):
            tasks = {item: self.load(item) for item in chunk}
            for item, task in tasks.items():
                try:
                    total += yield task
                except TaskTimeout:
                    failed.append(item)
        counts = [self.count(item) for item in failed]
        if sum(counts) > 3:  # finds G102
            return failed
        host = yield self.host()
        with self.options(task_list=host), measured('rest'):
            rest = yield all_of([self.load(item) for item in failed], failures='return')
        send_all(self, [str(item) for item in rest])
        return total, hashlib.sha256(json.dumps(rest).encode()).hexdigest()


@workflow('Approval', 1, task_list='peers')
class Approval(Workflow):
    """Several people are asked; a majority decides."""

    ask = ActivityProxy('ask', 1)
    ready = ActivityProxy('ready', 1)
    vote = Signal[bool]()

    def run(self, people: list[str], days: int = 3) -> Steps[Any]:
        yield [self.ask(person) for person in dict.fromkeys(people)]
        until = self.now().astimezone(timezone.utc) + timedelta(days=days)
        if not (yield from poll(self, self.ready, 60, until)):
            return None
        votes: list[bool] = []
        for slot in as_completed([self.vote.get() for _ in people]):
            votes.append((yield slot))
            if votes.count(True) * 2 > len(people):
                break
        for slot in as_completed({self.ask(person) for person in people}):  # finds G010
            yield slot
        return self.weigh(votes)

    @step(retries=3)
    def weigh(self, votes: list[bool]) -> bool:
        return sum(votes) * 2 > len(votes)


@workflow('Fallback', 1, task_list='peers')
class Fallback(Workflow):
    """The cheap way, and the dear one where that fails."""

    cheap = ActivityProxy('cheap', 1, retry=3)
    dear = ActivityProxy('dear', 1, retry=Retry(3), start_to_close=600, heartbeat=60)

    def run(self, order: dict[str, Any]) -> Steps[Any]:
        try:
            return (yield self.cheap(order))  # finds G110
        except TaskFailed as error:
            self.logger.warning('the cheap way failed: %s', error)
        try:
            return (yield self.dear(order).timeout(1200))
        except:  # noqa: E722 # finds G105
            return None
