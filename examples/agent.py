"""An agent: a model chooses tools until it has an answer, and what is dangerous is asked of a person first.

genflow run examples/agent.py '"what is 6 times 7"'

The model here is a function that pretends; a real one is an activity that calls a service, with `RetryLater` where that
is busy.
"""

from __future__ import annotations

from typing import Any

from genflow import Retry, RetryLater, Signal, Steps, TaskTimeout, Workflow, activity, current_activity, query, workflow

Message = dict[str, Any]


@activity(name='Think', version=1, task_list='agent', start_to_close=120)
def think(messages: list[Message]) -> Message:
    """What the model says to a conversation: a tool to call, or an answer."""
    if current_activity().info.attempt == 1 and len(messages) == 1:
        raise RetryLater(1, 'the model is busy')
    if messages[-1]['role'] == 'tool':
        return {'role': 'model', 'answer': str(messages[-1]['result'])}
    if 'delete' in messages[0]['text']:
        return {'role': 'model', 'tool': 'delete', 'with': ['everything']}
    return {'role': 'model', 'tool': 'multiply', 'with': [6, 7]}


@activity(name='Multiply', version=1, task_list='agent')
def multiply(left: int, right: int) -> int:
    return left * right


@activity(name='Delete', version=1, task_list='agent')
def delete(what: str) -> str:
    return f'{what} is gone'


TOOLS: dict[str, Any] = {'multiply': multiply.proxy(retry=Retry(3)), 'delete': delete.proxy(retry=0)}
DANGEROUS = {'delete'}


@workflow(name='Agent', version=1, task_list='agent')
class Agent(Workflow):
    think = think.proxy(retry=Retry(5))
    approved = Signal[bool]()

    def run(self, text: str, patience: int = 3600) -> Steps[str]:
        self.messages: list[Message] = [{'role': 'user', 'text': text}]
        while True:
            said = yield from self.think(self.messages)
            self.messages.append(said)
            if 'answer' in said:
                answer: str = said['answer']
                return answer
            self.messages.append({'role': 'tool', 'result': (yield self.use(said['tool'], said['with'], patience))})

    def use(self, tool: str, arguments: list[Any], patience: int) -> Steps[Any]:
        if tool in DANGEROUS:
            try:
                approved = yield from self.approved.get().timeout(patience)
            except TaskTimeout:
                approved = False
            if not approved:
                return f'{tool} was not approved'
        return (yield self.bind(TOOLS[tool])(*arguments))

    @query
    def conversation(self) -> list[Message]:
        return self.messages
