import { connectIfUsed, homeFrom } from '../../client/index.js';
import { oneOperand } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatEnvironment } from '../output/environment.js';
import { print, printJson } from '../output/print.js';

export const command = defineCommand({
  summary: 'Show the environment of a service, each value with its source',
  usage: 'env <service>',
  options: {
    reveal: { type: 'boolean', description: 'do not mask what looks secret' },
    json: JSON_OPTION,
  },
  operands: 'services',
  async run({ values, operands }) {
    const name = oneOperand('env', operands, 'the name of a service');
    const environment = await connectIfUsed(homeFrom(process.env)).call('environment', {
      params: { name },
      query: { reveal: values.reveal ? '1' : undefined },
    });
    if (values.json) printJson(environment);
    else if (environment.entries.length > 0) print(formatEnvironment(environment));
  },
});
