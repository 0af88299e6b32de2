import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import { parseCount } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatOperations } from '../output/operation.js';
import { print, printJson } from '../output/print.js';

export const command = defineCommand({
  summary: 'List the latest changes: who asked for what, and how it went',
  usage: 'operations',
  options: {
    limit: { type: 'string', short: 'n', value: 'n', description: 'how many, default 50' },
    json: JSON_OPTION,
  },
  async run({ values }) {
    const limit =
      values.limit === undefined ? undefined : String(parseCount('operations', '--limit', values.limit));
    const operations = await connectIfUsed(homeFrom(process.env))
      .call('operations', { query: { limit } })
      .catch((error: unknown) => {
        if (isUnusedHome(error)) return [];
        throw error;
      });
    if (values.json) printJson(operations);
    else print(formatOperations(operations));
  },
});
