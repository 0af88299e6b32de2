import { parseCount, usageError } from '../arguments.js';
import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';

export const command = defineCommand({
  summary: 'Change how many instances of a service run',
  usage: 'scale <service> <instances>',
  options: OPERATION_OPTIONS,
  operands: 'services',
  async run({ values, operands }) {
    const [service, count, ...others] = operands;
    if (!service || !count || others.length > 0) throw usageError('scale', 'it needs a service and a number');
    const instances = parseCount('scale', 'the number of instances', count);
    return requestOperation({ kind: 'scale', service, instances }, { ...values, showServices: true });
  },
});
