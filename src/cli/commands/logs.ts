import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import type { LogEntry } from '../../protocol/index.js';
import { parseCount, usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { onInterruption } from '../interruption.js';
import { createLogFormat } from '../output/log.js';
import { print } from '../output/print.js';

export const command = defineCommand({
  summary: 'Print what services wrote',
  usage: 'logs [service...]',
  examples: ['upkeep logs api -f', 'upkeep logs api web --err -n 100'],
  options: {
    follow: { type: 'boolean', short: 'f', description: 'stay for what comes' },
    lines: { type: 'string', short: 'n', value: 'n', description: 'how many past lines, default 20' },
    out: { type: 'boolean', description: 'only stdout' },
    err: { type: 'boolean', description: 'only stderr' },
    raw: { type: 'boolean', description: 'only the line itself' },
    json: { ...JSON_OPTION, description: 'print one JSON object a line' },
  },
  operands: 'services',
  async run({ values, operands }) {
    if (values.out && values.err) throw usageError('logs', '"--out" and "--err" exclude each other');
    const query = {
      service: operands,
      lines: values.lines === undefined ? undefined : String(parseCount('logs', '--lines', values.lines)),
      stream: values.out ? 'out' : values.err ? 'err' : undefined,
      follow: values.follow ? '1' : undefined,
    };
    const interruption = onInterruption();
    const format = values.json
      ? (entry: LogEntry) => JSON.stringify(entry)
      : createLogFormat(operands, values.raw);
    const client = connectIfUsed(homeFrom(process.env));
    try {
      for await (const entry of client.stream('logs', { query, signal: interruption.signal })) {
        print(format(entry));
      }
    } catch (error) {
      if (operands.length > 0 || !isUnusedHome(error)) throw error;
    }
    return interruption.exitCode;
  },
});
