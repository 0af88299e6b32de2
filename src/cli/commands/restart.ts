import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';
import { parseSelection } from '../selection.js';

export const command = defineCommand({
  summary: 'Stop services and start them again',
  usage: 'restart <service...> | all',
  options: OPERATION_OPTIONS,
  operands: 'services',
  run: ({ values, operands }) =>
    requestOperation(
      { kind: 'restart', services: parseSelection('restart', operands) },
      { ...values, showServices: true },
    ),
});
