// What check.py does with the AWS SDK for JavaScript.
import assert from 'node:assert/strict';
import * as swf from '@aws-sdk/client-swf';

const client = new swf.SWFClient({
  endpoint: process.argv[2],
  region: 'us-east-1',
  credentials: { accessKeyId: 'any', secretAccessKey: 'any' },
});
const list = { domain: 'd', taskList: { name: 'list' } };

await client.send(
  new swf.StartWorkflowExecutionCommand({
    domain: 'd', workflowId: 'javascript', workflowType: { name: 'w', version: '1' },
  }),
);
const task = await client.send(new swf.PollForDecisionTaskCommand(list));
assert.equal(task.startedEventId, 3);
assert.ok(task.events[0].eventTimestamp instanceof Date);
const answer = await client.send(
  new swf.RespondDecisionTaskCompletedCommand({
    taskToken: task.taskToken,
    decisions: [{ decisionType: 'CompleteWorkflowExecution', completeWorkflowExecutionDecisionAttributes: {} }],
  }),
);
assert.equal(answer.$metadata.requestId.length, 36);
const empty = await client.send(new swf.PollForActivityTaskCommand(list));
assert.deepEqual([empty.taskToken, empty.startedEventId], [undefined, 0]);
await assert.rejects(client.send(new swf.DescribeDomainCommand({ name: 'nowhere' })), {
  name: 'UnknownResourceFault', message: 'Unknown domain: nowhere',
});
