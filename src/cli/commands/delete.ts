import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';
import { parseSelection } from '../selection.js';

export const command = defineCommand({
  summary: 'Stop services and forget them',
  usage: 'delete <service...> | all',
  options: OPERATION_OPTIONS,
  operands: 'services',
  run: ({ values, operands }) =>
    requestOperation({ kind: 'delete', services: parseSelection('delete', operands) }, values),
});
