import { connectIfUsed, homeFrom } from '../../client/index.js';
import { oneOperand } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { print, printJson } from '../output/print.js';
import { formatServiceDetail } from '../output/service-detail.js';

export const command = defineCommand({
  summary: 'Show everything about one service',
  usage: 'show <service>',
  options: { json: JSON_OPTION },
  operands: 'services',
  async run({ values, operands }) {
    const name = oneOperand('show', operands, 'the name of a service');
    const service = await connectIfUsed(homeFrom(process.env)).call('service', { params: { name } });
    if (values.json) printJson(service);
    else print(formatServiceDetail(service, Date.now()));
  },
});
