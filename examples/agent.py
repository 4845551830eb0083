"""An agent: a model calls tools until it has an answer, and a person is asked before the dangerous ones.

genflow run examples/agent.py '"what is 6 times 7"'

The model here is a function that pretends; a real one is an activity that calls a service, with `RetryLater` where that
is busy. It may ask for several tools at a time. Each call is a branch that waits for its own approval, so a person may
answer in any order:

    genflow signal ID approval '{"call": "1", "approved": true}'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from genflow import (
    ActivityFailed,
    Retry,
    RetryLater,
    Signal,
    Steps,
    TaskTimeout,
    Workflow,
    activity,
    current_activity,
    query,
    workflow,
)

Message = dict[str, Any]


@dataclass
class Approval:
    call: str
    approved: bool


@activity(name='Think', version=1, task_list='agent', start_to_close=120)
def think(messages: list[Message]) -> Message:
    """What the model says to a conversation: tools to call, or an answer."""
    if current_activity().info.attempt == 1 and len(messages) == 1:
        raise RetryLater(1, 'the model is busy')
    results = [str(message['result']) for message in messages if message['role'] == 'tool']
    if results:
        return {'role': 'model', 'answer': ', '.join(results)}
    words = messages[0]['text'].split()
    if words[0] == 'delete':
        calls = [{'id': str(number), 'tool': 'delete', 'with': [word]} for number, word in enumerate(words[1:])]
    else:
        calls = [{'id': '0', 'tool': 'multiply', 'with': [int(word) for word in words if word.isdigit()]}]
    return {'role': 'model', 'calls': calls}


@activity(name='Multiply', version=1, task_list='agent')
def multiply(left: int, right: int) -> int:
    return left * right


@activity(name='Delete', version=1, task_list='agent')
def delete(what: str) -> str:
    return f'{what} is gone'


TOOLS: dict[str, Any] = {'multiply': multiply.proxy(retry=Retry(3)), 'delete': delete.proxy(retry=0)}
DANGEROUS = {'delete'}


@workflow(name='Agent', version=1, task_list='agent', workflow_duration=30 * 86400)
class Agent(Workflow):
    think = think.proxy(retry=Retry(5))
    approval = Signal[Approval](on_invalid='log')

    def run(self, text: str, patience: int = 86400) -> Steps[str]:
        self.messages: list[Message] = [{'role': 'user', 'text': text}]
        self.pending: dict[str, Message] = {}
        while True:
            said = yield from self.think(self.messages)
            self.messages.append(said)
            if 'answer' in said:
                answer: str = said['answer']
                return answer
            self.messages += yield [self.use(call, patience) for call in said['calls']]

    def use(self, call: Message, patience: int) -> Steps[Message]:
        if call['tool'] not in TOOLS:
            result = f'there is no tool {call["tool"]}'
        elif call['tool'] in DANGEROUS and not (yield from self.approved(call, patience)):
            result = f'{call["tool"]} was not approved'
        else:
            try:
                result = yield self.bind(TOOLS[call['tool']])(*call['with'])
            except ActivityFailed as error:
                result = f'failed: {error.reason}'  # the model may try something else
        return {'role': 'tool', 'id': call['id'], 'result': result}

    def approved(self, call: Message, patience: int) -> Steps[bool]:
        self.pending[call['id']] = call
        try:
            approval = yield from self.approval.get(match=lambda value: value.call == call['id']).timeout(patience)
        except TaskTimeout:
            return False
        finally:
            del self.pending[call['id']]
        return approval.approved

    @query
    def waiting(self) -> list[Message]:
        """The calls that a person is asked about."""
        return list(self.pending.values())
