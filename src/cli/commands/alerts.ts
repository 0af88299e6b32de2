import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import type { AlertView } from '../../protocol/index.js';
import { usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatAlerts, formatTested } from '../output/alert.js';
import { print, printJson } from '../output/print.js';

const EXIT_FAILED = 5;

export const command = defineCommand({
  summary: 'Show who is told of what happens, or send them a test',
  usage: 'alerts [test [name]]',
  examples: ['upkeep alerts', 'upkeep alerts test', 'upkeep alerts test ops'],
  options: { json: JSON_OPTION },
  operands: ['test'],
  async run({ values: { json }, operands }) {
    const [action, name = null, ...rest] = operands;
    if (action !== undefined && (action !== 'test' || rest.length > 0))
      throw usageError('alerts', `"${operands.join(' ')}" is not known here`);
    if (action === undefined) return list(json ?? false);
    const tested = await connectIfUsed(homeFrom(process.env)).call('testAlerts', { body: { name } });
    if (json) printJson(tested);
    else print(formatTested(tested));
    return tested.some(({ failure }) => failure !== null) ? EXIT_FAILED : 0;
  },
});

async function list(isJson: boolean): Promise<void> {
  const alerts = await connectIfUsed(homeFrom(process.env))
    .call('alerts')
    .catch((error: unknown): AlertView[] => {
      if (isUnusedHome(error)) return [];
      throw error;
    });
  if (isJson) printJson(alerts);
  else print(formatAlerts(alerts));
}
