import { connectIfUsed, homeFrom } from '../../client/index.js';
import { MOMENT_FORMS, parseMoment } from '../../util/index.js';
import { usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { print, printJson } from '../output/print.js';
import { formatReport } from '../output/report.js';

export const command = defineCommand({
  summary: 'Show how services have been: availability, incidents and their causes, time to repair, latency',
  usage: 'report [service...]',
  examples: [
    'upkeep report',
    'upkeep report api --since 30d',
    'upkeep report --since yesterday --until today',
  ],
  options: {
    since: { type: 'string', value: 'when', description: '7d (ago, the default), or a time' },
    until: { type: 'string', value: 'when', description: 'default: now' },
    json: JSON_OPTION,
  },
  operands: 'services',
  async run({ values: { since = '7d', until, json }, operands }) {
    const query = {
      service: operands,
      since: moment('since', since),
      until: until && moment('until', until),
    };
    const report = await connectIfUsed(homeFrom(process.env)).call('report', { query });
    if (json) printJson(report);
    else print(formatReport(report));
  },
});

/** In the time zone of whoever asks. */
function moment(name: string, text: string): string {
  const at = parseMoment(text, new Date());
  if (at === undefined) throw usageError('report', `--${name} needs ${MOMENT_FORMS}, not "${text}"`);
  return new Date(at).toISOString();
}
