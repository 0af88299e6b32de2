import { connectOrStart, homeFrom } from '../../client/index.js';
import { CONFIG_OPTIONS, loadConfigFile, noteDiagnostics } from '../config.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatDiff } from '../output/diff.js';
import { print, printJson } from '../output/print.js';

export const command = defineCommand({
  summary: 'Show what "up" would change',
  usage: 'diff [file | folder]',
  options: { ...CONFIG_OPTIONS, json: JSON_OPTION },
  operands: 'files',
  async run({ values, operands }) {
    const { services, warnings } = await loadConfigFile('diff', operands, values);
    noteDiagnostics(warnings);
    const changes = await connectOrStart(homeFrom(process.env)).call('diff', {
      body: { services: [...services] },
    });
    if (values.json) printJson(changes);
    else print(formatDiff(changes));
  },
});
