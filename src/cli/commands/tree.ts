import { connectIfUsed, homeFrom } from '../../client/index.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { print, printJson } from '../output/print.js';
import { formatTrees } from '../output/tree.js';

export const command = defineCommand({
  summary:
    'Show the processes below each instance: what each is for, what it uses, which one serves the port',
  usage: 'tree [service...]',
  options: { json: JSON_OPTION },
  operands: 'services',
  async run({ values, operands }) {
    const trees = await connectIfUsed(homeFrom(process.env)).call('tree', { query: { service: operands } });
    if (values.json) printJson(trees);
    else print(formatTrees(trees));
  },
});
