"""Code that changes while executions run: what began the old way ends the old way, and nothing is held.

genflow run examples/signup.py:Signup ada@example.org 1

A signup sends a welcome, waits a week and asks how it went. Then the welcome becomes a kit. The steps of that change:

1. `SignupBefore` is what runs.
2. Deploy `Signup`. `self.patched('kit')` is true for executions that get there with the new code, and false for those
   that passed there before. While old and new workers share a task list, an old worker may get an execution of the new
   way. It holds that one, and a new worker takes the decision after its time-out.
3. When no execution of the old way is open any more, deploy `SignupAfter`. Old and new workers agree on all executions.
4. When no execution that ran `Signup` is open any more, delete the call of `deprecate_patch`.

Before each deployment, `genflow shadow` replays the open executions with the new code.
"""

from __future__ import annotations

from genflow import Retry, Steps, Workflow, activity, workflow

WEEK = 7 * 86400


@activity(name='Welcome', version=1, task_list='signup')
def welcome(email: str) -> str:
    return f'hello {email}'


@activity(name='WelcomeKit', version=1, task_list='signup')
def welcome_kit(email: str) -> str:
    return f'kit for {email}'


@activity(name='AskBack', version=1, task_list='signup')
def ask_back(email: str) -> str:
    return f'how do you like it, {email}?'


class SignupSteps(Workflow):
    welcome = welcome.proxy(retry=Retry(5))
    welcome_kit = welcome_kit.proxy(retry=Retry(5))
    ask_back = ask_back.proxy(retry=Retry(5))


class SignupBefore(SignupSteps):
    def run(self, email: str, pause: int = WEEK) -> Steps[list[str]]:
        first = yield from self.welcome(email)
        yield self.sleep(pause)
        return [first, (yield from self.ask_back(email))]


# An hour is the default workflow_duration: what waits longer says so.
@workflow(name='Signup', version=1, task_list='signup', workflow_duration=30 * 86400)
class Signup(SignupSteps):
    def run(self, email: str, pause: int = WEEK) -> Steps[list[str]]:
        if self.patched('kit'):
            first = yield from self.welcome_kit(email)
        else:
            first = yield from self.welcome(email)
        yield self.sleep(pause)
        return [first, (yield from self.ask_back(email))]


class SignupAfter(SignupSteps):
    def run(self, email: str, pause: int = WEEK) -> Steps[list[str]]:
        self.deprecate_patch('kit')
        first = yield from self.welcome_kit(email)
        yield self.sleep(pause)
        return [first, (yield from self.ask_back(email))]
