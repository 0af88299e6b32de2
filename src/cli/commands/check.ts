import { ERRORS } from '../../protocol/index.js';
import { CONFIG_OPTIONS, noteDiagnostics, readConfigFile } from '../config.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { print, printJson } from '../output/print.js';
import { wordNames } from '../output/operation.js';

export const command = defineCommand({
  summary: 'Find errors in a configuration file; nothing is started',
  usage: 'check [file | folder]',
  options: { ...CONFIG_OPTIONS, json: JSON_OPTION },
  operands: 'files',
  async run({ values, operands }) {
    const result = await readConfigFile('check', operands, values);
    const diagnostics = result.ok ? result.warnings : result.diagnostics;
    const services = result.ok ? result.services.map(({ name }) => name) : [];
    if (values.json) printJson({ ok: result.ok, services, diagnostics });
    else noteDiagnostics(diagnostics);
    if (!result.ok) return ERRORS['config-invalid'].exit;
    if (!values.json) print(`${result.file} is valid: ${wordNames(services)}`);
    return 0;
  },
});
