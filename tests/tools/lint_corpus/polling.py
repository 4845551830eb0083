"""A poller that restarts, and an expense report: what waits long."""

from __future__ import annotations

import subprocess
import threading
import urllib.request

import genflow
from genflow import Activity, Workflow, activity, workflow
from genflow.swf import scanner

COUNTS: dict[str, int] = {}
LAST = 0


@activity(name='Look', version=1, task_list='poll', heartbeat=300)  # finds G112
class Look(Activity):
    def run(self, url):
        with urllib.request.urlopen(url) as answer:
            return answer.status


@scanner.activity(name='Slow', version=1, task_list='poll', start_to_close=None)  # finds G111
class Slow(Activity):
    def run(self):
        threading.Event().wait(1)


@workflow(name='Poll', version=1, task_list='poll')
class Poll(genflow.Workflow):
    look = Look.proxy()

    def run(self, url, times):
        global LAST
        LAST = times  # finds G012
        COUNTS[url] = times  # finds G012
        try:
            state = yield self.look(url)
        except:  # finds G105
            state = None
        try:
            yield self.sleep(60)
        finally:
            yield self.look(url)  # finds G106
            print(url)  # finds G106
        if times > 100:
            self.restart(url, 0)  # finds G107
        subprocess.run(['notify', url], check=True)  # finds G009
        urllib.request.urlopen(url)  # finds G006
        threading.Thread(target=print).start()  # finds G007
        return state


@workflow(name='Late', version=1, task_list='poll')
class Late(Workflow):
    look = Look.proxy()

    async def run(self, url):  # finds G104
        return await self.look(url)  # finds G104


@workflow(name='Expense', version=1, task_list='poll')
class Expense(Workflow):
    look = Look.proxy()
    done = genflow.Signal()

    def run(self, amount, time, random):
        total = time + random  # parameters, no modules
        try:
            total += yield self.look('x')
        except BaseException:
            self.logger.info('undone')
            raise
        while len(self.done) == 0:
            yield self.sleep(time)
        checked = threading.local()  # finds G007
        names = sorted({'b', 'a'})
        # genflow: ok G001 only shown to people  # finds G902
        shown = __import__('time')
        return [total, checked, names, shown, min({amount, total})]


class Plain:
    """No workflow."""

    def run(self):
        return threading.active_count()
