import { connectIfUsed, homeFrom } from '../../client/index.js';
import { oneOperand } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { hasEnded, reportEnd } from '../operation.js';
import { formatOperation } from '../output/operation.js';
import { print, printJson } from '../output/print.js';

export const command = defineCommand({
  summary: 'Show one change, or wait for its end',
  usage: 'operation <id>',
  options: {
    wait: {
      type: 'boolean',
      short: 'w',
      description: 'wait until it has ended, exit as its command would have',
    },
    json: JSON_OPTION,
  },
  async run({ values, operands }) {
    const id = oneOperand('operation', operands, 'the id of an operation');
    const client = connectIfUsed(homeFrom(process.env));
    const operation = await client.call('operation', {
      params: { id },
      query: { wait: values.wait ? '1' : undefined },
      ...(values.wait ? { timeoutMs: 0 } : {}),
    });
    if (values.wait && hasEnded(operation)) return reportEnd(client, operation, values);
    if (values.json) printJson(operation);
    else print(formatOperation(operation));
    return 0;
  },
});
