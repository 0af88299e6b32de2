import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';
import { parseSelection } from '../selection.js';

export const command = defineCommand({
  summary: 'Replace instances one after the other, without refusing a connection',
  usage: 'reload <service...> | all',
  options: OPERATION_OPTIONS,
  operands: 'services',
  run: ({ values, operands }) =>
    requestOperation(
      { kind: 'reload', services: parseSelection('reload', operands) },
      { ...values, showServices: true },
    ),
});
