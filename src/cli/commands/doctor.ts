import { examine, isHealthy, lookAround, repairAll } from '../../doctor/index.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatFixed, formatReport } from '../output/doctor.js';
import { print, printJson } from '../output/print.js';

const EXIT_SICK = 8;

export const command = defineCommand({
  summary: 'Find what is wrong on this machine, and what to do about it',
  usage: 'doctor [--fix] [--json]',
  examples: ['upkeep doctor', 'sudo upkeep doctor --fix'],
  options: {
    fix: { type: 'boolean', description: 'do what is safe to do, then look again' },
    json: JSON_OPTION,
  },
  async run({ values }) {
    const first = examine(await lookAround(process.env));
    const fixed = values.fix ? await repairAll(first.findings) : [];
    const report = fixed.length > 0 ? examine(await lookAround(process.env)) : first;
    if (values.json) printJson({ ...report, fixed });
    else print([...formatFixed(fixed), formatReport(report)].join('\n'));
    return isHealthy(report) ? 0 : EXIT_SICK;
  },
});
