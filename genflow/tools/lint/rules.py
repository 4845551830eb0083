"""The rules: a table of codes, each with what it finds, why that is wrong, and how it is done right.

``docs/lint.md`` is made of this table (a test compares them), and ``genflow lint --explain G001`` prints from it.
"""

from __future__ import annotations

from attrs import frozen

__all__ = ['RULES', 'Rule', 'page']


@frozen
class Rule:
    """One rule.

    Attributes:
        code: ``G0..`` breaks determinism, ``G1..`` loses something, ``G9..`` keeps the look itself from its work.
        name: In a few words.
        why: What goes wrong.
        wrong: Code that the rule finds.
        right: The same done right.
        fixable: Whether ``--fix`` can mend the common cases.
    """

    code: str
    name: str
    why: str
    wrong: str
    right: str
    fixable: bool = False


_ALL = (
    Rule(
        'G001',
        'clock',
        'A workflow is replayed, perhaps months later: the clock of the machine then shows another time. `self.now()` '
        'is the time of the decision, the same in each replay.',
        'deadline = datetime.now(timezone.utc) + timedelta(days=3)',
        'deadline = self.now() + timedelta(days=3)',
        fixable=True,
    ),
    Rule(
        'G002',
        'chance',
        'A replay draws other numbers. `self.random` is a `random.Random` whose seed is recorded.',
        'winner = random.choice(bidders)',
        'winner = self.random.choice(bidders)',
        fixable=True,
    ),
    Rule(
        'G003',
        'uuid',
        'A replay makes another id. `self.uuid4()` makes the same one again.',
        'key = str(uuid.uuid4())',
        'key = str(self.uuid4())',
        fixable=True,
    ),
    Rule(
        'G004',
        'environment',
        'The next decision may be made on another machine, with other variables, folders and host names. Pass such '
        'values as arguments, or record them with `self.side_effect`.',
        "bucket = os.environ['BUCKET']",
        "bucket = self.side_effect(lambda: os.environ['BUCKET'])",
    ),
    Rule(
        'G005',
        'files',
        'A file may have changed, or be missing on another machine, when the code is replayed. Read and write files in '
        'an activity.',
        'text = Path(name).read_text()',
        'text = yield self.read_file(name)',
    ),
    Rule(
        'G006',
        'network',
        'A request made in a workflow is made again by each replay, with another answer. Make it in an activity.',
        'price = requests.get(url).json()',
        'price = yield self.fetch_price(url)',
    ),
    Rule(
        'G007',
        'threads',
        'The order of threads and of event loops is not recorded. Start branches with `self.spawn`, wait for several '
        'tasks with `yield [...]`.',
        'threading.Thread(target=self.watch).start()',
        'self.spawn(self.watch())',
    ),
    Rule(
        'G008',
        'sleep',
        'It blocks the decider, and each replay sleeps again. `yield self.sleep(seconds)` is a timer of the service.',
        'time.sleep(60)',
        'yield self.sleep(60)',
        fixable=True,
    ),
    Rule(
        'G009',
        'subprocess',
        'A process is started again by each replay. Start it in an activity.',
        "subprocess.run(['convert', name])",
        'yield self.convert(name)',
    ),
    Rule(
        'G010',
        'order of a set',
        'The order of a set of texts differs from process to process, so calls are made in another order at replay. '
        'Sort it, or use a list or a dict.',
        'for city in {hop.city for hop in route}:\n    yield self.book(city)',
        'for city in sorted({hop.city for hop in route}):\n    yield self.book(city)',
    ),
    Rule(
        'G011',
        'id and hash',
        '`id()` is an address, and `hash()` of a text differs from process to process.',
        'shard = hash(customer) % 8',
        'shard = zlib.crc32(customer.encode()) % 8',
    ),
    Rule(
        'G012',
        'mutable global',
        'A module-level object is shared by all executions of a worker and is lost with its process; a replay sees '
        'other contents. Keep state in `self`.',
        'SEEN = set()\n\nclass Order(Workflow):\n    def run(self, order):\n        SEEN.add(order)',
        'class Order(Workflow):\n    def run(self, order):\n        self.seen = {order}',
    ),
    Rule(
        'G013',
        'mutable class attribute',
        'It is shared by all executions of the class in a worker. Set it in `run`.',
        'class Order(Workflow):\n    items = []\n\n    def run(self, item):\n        self.items.append(item)',
        'class Order(Workflow):\n    def run(self, item):\n        self.items = [item]',
    ),
    Rule(
        'G014',
        'module-level cache',
        'A cache is filled by other executions and empty in another process, so what runs inside depends on what ran '
        'before. Cache in `self`.',
        '@functools.lru_cache\ndef rate(country): ...',
        'def rate(country): ...',
    ),
    Rule(
        'G101',
        'dropped task',
        'Nobody waits for the call. Its result is lost, and its failure fails the workflow when it ends. Yield it, '
        'keep the task, or say with `error_handling=True` that its failure does not matter.',
        'self.notify(order)',
        'yield self.notify(order)',
        fixable=True,
    ),
    Rule(
        'G102',
        'missing yield',
        'A call gives a task, not its result. A task has no truth value, no members and no length.',
        'if self.is_paid(order):\n    ...',
        'if (yield self.is_paid(order)):\n    ...',
        fixable=True,
    ),
    Rule(
        'G103',
        'yielded generator expression',
        'A generator expression makes its calls when it is iterated, which nobody does. Yield a list.',
        'yield (self.count(page) for page in pages)',
        'yield [self.count(page) for page in pages]',
        fixable=True,
    ),
    Rule(
        'G104',
        'async',
        'A workflow is a generator: it yields its tasks. Nobody awaits a coroutine.',
        'async def run(self, order):\n    await self.charge(order)',
        'def run(self, order):\n    yield self.charge(order)',
    ),
    Rule(
        'G105',
        'swallowed cancellation',
        'A cancellation is a `BaseException` raised at a `yield`. A bare `except:` that does not raise again eats it, '
        'and the workflow goes on as if it had never been asked to stop. So does `except Canceled: pass`.',
        'try:\n    yield self.charge(order)\nexcept:\n    log.warning("failed")',
        'try:\n    yield self.charge(order)\nexcept TaskFailed:\n    log.warning("failed")',
    ),
    Rule(
        'G106',
        'work in finally',
        'A `finally` also runs when a worker drops the execution from its cache, and once more when the code really '
        'gets there. Calls of the workflow are decided only the second time; what prints or writes is done twice. '
        'A `yield` there waits, and a cancellation that comes meanwhile cuts it short: `with self.shield():` holds the '
        'cancellation off until the work is done. A `return`, `break` or `continue` there ends a cancellation or '
        'failure that is on its way.',
        'try:\n    yield self.work()\nfinally:\n    yield self.release()\n    print("released")\n    return "done"',
        'try:\n    yield self.work()\nfinally:\n    with self.shield():\n        yield self.release()\n'
        '    self.logger.info("released")\nreturn "done"',
    ),
    Rule(
        'G107',
        'restart not returned',
        '`self.restart(...)` only gives what `run` has to return.',
        'self.restart(page + 1)',
        'return self.restart(page + 1)',
        fixable=True,
    ),
    Rule(
        'G108',
        'undeclared signal',
        'The class has no such attribute: the line fails with an `AttributeError` when it is reached.',
        'word = yield self.approve.get()',
        'approve = Signal()\n\ndef run(self):\n    word = yield self.approve.get()',
    ),
    Rule(
        'G109',
        'compensate without yield from',
        '`saga.compensate()` is a generator: without `yield from` nothing is undone.',
        'saga.compensate()',
        'yield from saga.compensate()',
        fixable=True,
    ),
    Rule(
        'G110',
        'retry of failures',
        'A whole number retries time-outs only: the failure that this code catches comes from the first attempt. Use a '
        '`Retry`, which retries failures too.',
        'charge = ActivityProxy("Charge", "1", retry=5)\n\ndef run(self, order):\n    try:\n'
        '        yield self.charge(order)\n    except ActivityFailed:\n        yield self.release(order)',
        'charge = ActivityProxy("Charge", "1", retry=Retry(5))\n\ndef run(self, order):\n    try:\n'
        '        yield self.charge(order)\n    except ActivityFailed:\n        yield self.release(order)',
    ),
    Rule(
        'G111',
        'no start-to-close',
        'Where a worker dies, nothing ends the activity: the workflow waits for it until the execution times out.',
        '@activity(name="Charge", version=1, task_list="x", start_to_close=None)',
        '@activity(name="Charge", version=1, task_list="x", start_to_close=60)',
    ),
    Rule(
        'G112',
        'heartbeat too long',
        'A heartbeat that may take as long as the whole activity never times out before it.',
        '@activity(name="Charge", version=1, task_list="x", heartbeat=300, start_to_close=300)',
        '@activity(name="Charge", version=1, task_list="x", heartbeat=30, start_to_close=300)',
    ),
    Rule(
        'G900',
        'ok without a reason',
        'A comment that lets a finding pass says why, for the next reader.',
        'now = time.time()  # genflow: ok G001',
        'now = time.time()  # genflow: ok G001 only for a log line',
    ),
    Rule(
        'G901',
        'unreadable file',
        'A file that is no Python, cannot be read, or has code that is nested too deeply is not looked at. '
        'No setting but `exclude` lets this pass.',
        'yield self.charge(order',
        'yield self.charge(order)',
    ),
    Rule(
        'G902',
        'ok without a finding',
        'A comment that lets nothing pass hides what comes later. It is reported in code that was looked at.',
        'yield self.charge(order)  # genflow: ok G001 only for a log line',
        'yield self.charge(order)',
    ),
)

RULES = {rule.code: rule for rule in _ALL}
"""Every rule by its code."""


def page(rule: Rule) -> str:
    """The documentation of a rule, in Markdown."""
    fix = '\n`genflow lint --fix` fixes the common cases.\n' if rule.fixable else ''
    return (
        f'# {rule.code} {rule.name}\n\n{rule.why}\n{fix}\nWrong:\n\n```\n{rule.wrong}\n```\n\n'
        f'Right:\n\n```\n{rule.right}\n```\n'
    )
