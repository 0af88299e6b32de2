import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';
import { parseSelection } from '../selection.js';

export const command = defineCommand({
  summary: 'Stop services, with every process that they started',
  usage: 'stop <service...> | all',
  options: OPERATION_OPTIONS,
  operands: 'services',
  run: ({ values, operands }) =>
    requestOperation({ kind: 'stop', services: parseSelection('stop', operands) }, values),
});
