"""Workflows of a size that can be chosen: each gives a ``run`` and what happens to it after its first decision."""

from __future__ import annotations

from genflow import TaskCanceled, TaskFailed, all_of, any_of, as_completed, first_success


def each(slots):
    for slot in slots:
        value = yield slot
        assert value is None


def settled_yields(count):
    def run(self):
        task = self.echo()
        yield task
        for _ in range(count):
            yield task
        return 'done'

    return run, lambda story: story.completed(1)


def sequential_signals(count):
    def run(self):
        for _ in range(count):
            yield self.go.get()
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def wide_all_of(count):
    def run(self):
        def branch():
            yield self.go.get()

        yield all_of([branch() for _ in range(count)])
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def wide_first_success(count):
    def run(self):
        yield first_success([self.go.get() for _ in range(count)], n=count)
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def wide_as_completed(count):
    def run(self):
        def branch(task):
            yield task

        first = self.echo()
        for slot in as_completed([branch(first) for _ in range(count)]):
            value = yield slot
            assert value is None
        return 'done'

    return run, lambda story: story.completed(1)


def as_completed_of_gets(count):
    def run(self):
        yield from each(as_completed([self.go.get() for _ in range(count)]))
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def as_completed_of_limited_gets(count):
    def run(self):
        yield from each(as_completed([any_of(self.go.get(), self.stop.get()) for _ in range(count)]))
        return 'done'

    return run, lambda story: [story.signaled(('go', 'stop')[number % 2]) for number in range(count)]


def as_completed_with_something_between(count):
    """Every other signal comes while nobody waits for it."""

    def run(self):
        for slot in as_completed([self.go.get() for _ in range(count)]):
            yield slot
            yield self.stop.get()
        return 'done'

    names = ('go', 'go', 'stop', 'stop')
    return run, lambda story: [story.signaled(name) for _ in range(count // 2) for name in names]


def all_slots_at_once(count):
    def run(self):
        yield list(as_completed([self.go.get() for _ in range(count)]))
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def races_with_a_wide_all_of(count):
    def run(self):
        every = all_of([self.go.get() for _ in range(count)])
        for _ in range(count):
            yield any_of(every, self.stop.get())
        return 'done'

    return run, lambda story: [story.signaled('stop') for _ in range(count)]


def as_completed_of_activities(count):
    def run(self):
        yield from each(as_completed([self.echo().timeout(60) for _ in range(count)]))
        return 'done'

    return run, lambda story: [story.completed(number) for number in range(1, 2 * count, 2)]


def as_completed_of_timers(count):
    def run(self):
        yield from each(as_completed([self.sleep(60) for _ in range(count)]))
        return 'done'

    return run, lambda story: [story.fired(number) for number in range(1, count + 1)]


def first_success_of_failures(count):
    def run(self):
        try:
            yield first_success([self.echo() for _ in range(count)])
        except TaskFailed:
            return 'none'

    return run, lambda story: [story.failed(number) for number in range(1, count + 1)]


def wide_race(count):
    def run(self):
        yield any_of([self.echo() for _ in range(count)], cancel_rest=True)
        return 'done'

    return run, lambda story: story.completed(count)


def map_of_activities(count):
    def run(self):
        yield self.map(self.echo, range(count), limit=count)
        return 'done'

    return run, lambda story: [story.completed(number) for number in range(1, count + 1)]


def map_of_gets(count):
    def run(self):
        yield self.map(lambda _: self.go.get(), range(count), limit=count)
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def spawned_branches(count):
    def run(self):
        def branch():
            yield self.echo()

        for _ in range(count):
            self.spawn(branch())
        return 'done'
        yield

    return run, lambda story: [story.completed(number) for number in range(1, count + 1)]


def chain_of_branches_that_is_closed(count):
    def run(self):
        def branch(depth):
            yield branch(depth - 1) if depth else self.go.get()

        yield any_of(branch(count), self.stop.get())
        return 'done'

    return run, lambda story: story.signaled('stop')


def wide_map(count):
    def run(self):
        def branch(_):
            yield self.go.get()

        yield self.map(branch, range(count), limit=10)
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def long_argument_chain(count):
    def run(self):
        task = self.echo()
        for _ in range(count):
            task = self.external('w').signal('s', task)
        try:
            yield task
        except TaskFailed:
            return 'failed'

    return run, lambda story: story.failed(1)


def deep_all_of(count):
    def run(self):
        task = self.echo()
        for _ in range(count):
            task = all_of([task])
        yield task
        return 'done'

    return run, lambda story: story.completed(1)


def deep_signal(count):
    def run(self):
        task = self.go.get()
        for _ in range(count):
            task = all_of([task])
        yield task
        return 'done'

    return run, lambda story: story.signaled('go')


def deep_cancel(count):
    def run(self):
        yield self.go.get()
        task = self.stop.get()
        for _ in range(count):
            task = all_of([task])
        task.cancel()
        try:
            yield task
        except TaskCanceled:
            return 'canceled'

    return run, lambda story: story.signaled('go')


def diamonds(task, count):
    """Combinators of which each has two below it that share what is below them."""
    for _ in range(count):
        task = all_of(any_of(task), all_of(task))
    return task


def signal_below_diamonds(count):
    def run(self):
        yield diamonds(self.go.get(), count)
        return 'done'

    return run, lambda story: story.signaled('go')


def cancelled_diamonds(count):
    def run(self):
        task = diamonds(self.echo(), count)
        yield self.go.get()
        task.cancel()
        try:
            yield task
        except TaskCanceled:
            return 'canceled'

    return run, lambda story: story.signaled('go')


def diamonds_below_a_cancelled_branch(count):
    def run(self):
        def branch():
            yield diamonds(self.stop.get(), count)

        task = self.spawn(branch())
        yield self.go.get()
        task.cancel()
        return 'canceled'

    return run, lambda story: story.signaled('go')


def chain_of_branches(count):
    def run(self):
        def branch(depth):
            if depth:
                return (yield branch(depth - 1))
            return (yield self.go.get())

        return (yield branch(count))

    return run, lambda story: story.signaled('go', 'deep')


def races_in_a_loop(count):
    def run(self):
        stop = self.stop.get()
        for _ in range(count):
            yield any_of(stop, self.go.get())
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def races_of_a_branch_in_a_loop(count):
    def run(self):
        def waits():
            yield self.stop.get()

        waiting = self.spawn(waits())
        for _ in range(count):
            yield any_of(waiting, self.go.get())
        waiting.cancel()
        return 'done'

    return run, lambda story: [story.signaled('go') for _ in range(count)]


def cancelled_branches(count):
    def run(self):
        def branch():
            try:
                yield self.stop.get()
            finally:
                yield all_of()

        task = all_of([branch() for _ in range(count)])
        yield any_of(self.go.get(), task)
        try:
            yield task
        except TaskCanceled:
            return 'canceled'

    return run, lambda story: story.signaled('go')


def cancelled_chain_of_branches(count):
    def run(self):
        def branch(depth):
            return (yield branch(depth - 1) if depth else self.stop.get())

        yield any_of(branch(count), self.go.get())
        return 'done'

    return run, lambda story: story.signaled('go')


def cancelled_chain_of_combinators(count):
    def run(self):
        def branch():
            try:
                yield self.stop.get()
            finally:
                yield all_of()

        task = self.spawn(branch())
        for _ in range(count):
            task = all_of([task])
        yield self.go.get()
        task.cancel()
        try:
            yield task
        except TaskCanceled:
            return 'canceled'

    return run, lambda story: story.signaled('go')


def cancelled_circle(count):
    def run(self):
        tasks = []

        def waits(place):
            yield all_of()
            yield tasks[(place + 1) % count]

        tasks += [self.spawn(waits(place)) for place in range(count)]
        yield self.go.get()
        for task in tasks:
            task.cancel()
        yield all_of(tasks, failures='return')
        return 'canceled'

    return run, lambda story: story.signaled('go')


SHAPES = [
    settled_yields,
    sequential_signals,
    wide_all_of,
    wide_first_success,
    wide_as_completed,
    as_completed_of_gets,
    as_completed_of_limited_gets,
    as_completed_with_something_between,
    all_slots_at_once,
    races_with_a_wide_all_of,
    as_completed_of_activities,
    as_completed_of_timers,
    first_success_of_failures,
    wide_race,
    map_of_activities,
    map_of_gets,
    spawned_branches,
    chain_of_branches_that_is_closed,
    wide_map,
    long_argument_chain,
    deep_all_of,
    deep_signal,
    deep_cancel,
    signal_below_diamonds,
    cancelled_diamonds,
    diamonds_below_a_cancelled_branch,
    chain_of_branches,
    races_in_a_loop,
    races_of_a_branch_in_a_loop,
    cancelled_branches,
    cancelled_chain_of_branches,
    cancelled_chain_of_combinators,
    cancelled_circle,
]
