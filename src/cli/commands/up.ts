import { usageError } from '../arguments.js';
import { CONFIG_OPTIONS, loadConfigFile, noteDiagnostics, selectServices } from '../config.js';
import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';

export const command = defineCommand({
  summary: 'Make the services of a configuration file exist as described, and run',
  usage: 'up [file | folder]',
  examples: ['upkeep up', 'upkeep up --profile production --prune'],
  options: {
    only: { type: 'string', value: 'a,b', description: 'only these services of the file' },
    prune: { type: 'boolean', description: 'delete services that came from this file and left it' },
    ...CONFIG_OPTIONS,
    ...OPERATION_OPTIONS,
  },
  operands: 'files',
  async run({ values, operands }) {
    const { only, prune } = values;
    if (only !== undefined && prune) throw usageError('up', '"--prune" needs the whole file, not "--only"');
    const config = await loadConfigFile('up', operands, values);
    noteDiagnostics(config.warnings);
    const services = [...selectServices(config.services, only)];
    return requestOperation(
      { kind: 'up', services, ...(prune ? { prune } : {}) },
      { ...values, showServices: true },
    );
  },
});
