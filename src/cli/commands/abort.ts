import { connectIfUsed, homeFrom } from '../../client/index.js';
import { oneOperand } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { hasEnded } from '../operation.js';
import { formatOperation } from '../output/operation.js';
import { print, printJson } from '../output/print.js';

export const command = defineCommand({
  summary: 'Give up a change that has not ended; services go on as they were described before',
  usage: 'abort <operation>',
  options: { json: JSON_OPTION },
  async run({ values, operands }) {
    const id = oneOperand('abort', operands, 'the id of an operation');
    const client = connectIfUsed(homeFrom(process.env));
    const aborted = await client.call('abort', { params: { id } });
    const operation = hasEnded(aborted)
      ? aborted
      : await client.call('operation', { params: { id }, query: { wait: '1' }, timeoutMs: 0 });
    if (values.json) printJson(operation);
    else print(formatOperation(operation));
    return 0;
  },
});
