import { connectOrStart, homeFrom } from '../../client/index.js';
import { CONFIG_OPTIONS, loadConfigFile } from '../config.js';
import { defineCommand, OPERATION_OPTIONS } from '../command.js';
import { requestOperation } from '../operation.js';
import { note } from '../output/print.js';

export const command = defineCommand({
  summary: 'Stop and forget the services of a configuration file',
  usage: 'down [file | folder]',
  options: { ...CONFIG_OPTIONS, ...OPERATION_OPTIONS },
  operands: 'files',
  async run({ values, operands }) {
    const { services, file } = await loadConfigFile('down', operands, values);
    const client = connectOrStart(homeFrom(process.env));
    const known = new Set((await client.call('services')).map(({ name }) => name));
    const names = services.map(({ name }) => name).filter((name) => known.has(name));
    if (names.length > 0) return requestOperation({ kind: 'delete', services: names }, values, client);
    note(`Nothing to delete: no service of ${file} exists`);
    return 0;
  },
});
