import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import type { LogEntry } from '../../protocol/index.js';
import { parseMoment } from '../../util/index.js';
import { parseCount, usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { onInterruption } from '../interruption.js';
import { createLogFormat } from '../output/log.js';
import { Output } from '../output/print.js';

export const command = defineCommand({
  summary: 'Print what services wrote',
  usage: 'logs [service...]',
  examples: [
    'upkeep logs api -f',
    'upkeep logs api web --since 10m --level warn',
    'upkeep logs --grep "timeout|ECONN" --since 14:00 --until 14:30',
    'upkeep logs api --around exit --context 30s',
  ],
  options: {
    follow: { type: 'boolean', short: 'f', description: 'stay for what comes' },
    lines: { type: 'string', short: 'n', value: 'n', description: 'how many past lines, default 20' },
    since: { type: 'string', value: 'time', description: 'from then on: 10m, 14:05, 2026-11-29, ISO 8601' },
    until: { type: 'string', value: 'time', description: 'up to then' },
    around: {
      type: 'string',
      value: 'time|exit',
      description: 'then, or when an attempt ended: exit, exit:7',
    },
    context: { type: 'string', value: 'time|n', description: 'how much around it, default 10s' },
    grep: { type: 'string', value: 're', description: 'only what a regular expression matches' },
    'ignore-case': { type: 'boolean', short: 'i', description: 'upper and lower case are the same to it' },
    level: { type: 'string', value: 'level', description: 'only warn, say, or worse' },
    instance: { type: 'string', value: 'n', description: 'only this instance' },
    out: { type: 'boolean', description: 'only stdout' },
    err: { type: 'boolean', description: 'only stderr' },
    raw: { type: 'boolean', description: 'exactly what was written' },
    json: { ...JSON_OPTION, description: 'print one JSON object a line' },
  },
  operands: 'services',
  async run({ values, operands }) {
    if (values.out && values.err) throw usageError('logs', '"--out" and "--err" exclude each other');
    if (values.raw && values.json) throw usageError('logs', '"--raw" and "--json" exclude each other');
    const query = {
      service: operands,
      since: absolute(values.since),
      until: absolute(values.until),
      around: absolute(values.around),
      context: values.context,
      grep: values.grep,
      ignoreCase: values['ignore-case'] ? '1' : undefined,
      level: values.level,
      instance: count('--instance', values.instance),
      lines: count('--lines', values.lines),
      stream: values.out ? 'out' : values.err ? 'err' : undefined,
      follow: values.follow ? '1' : undefined,
      encoding: values.raw ? 'latin1' : undefined,
    };
    const interruption = onInterruption();
    const format = formatOf(values);
    const output = new Output(values.raw ? 'latin1' : 'utf8');
    const client = connectIfUsed(homeFrom(process.env));
    try {
      for await (const entry of client.stream('logs', { query, signal: interruption.signal }))
        output.add(format(entry));
    } catch (error) {
      if (operands.length > 0 || !isUnusedHome(error)) throw error;
    } finally {
      output.flush();
    }
    return interruption.exitCode;
  },
});

function formatOf({
  raw,
  json,
}: {
  raw?: boolean | undefined;
  json?: boolean | undefined;
}): (entry: LogEntry) => string {
  if (raw) return ({ lines }) => lines.join('\n');
  return json ? (entry) => JSON.stringify(entry) : createLogFormat();
}

/** In the time zone of whoever asks; what is none is for the daemon to explain. */
function absolute(text: string | undefined): string | undefined {
  const moment = text === undefined ? undefined : parseMoment(text, new Date());
  return moment === undefined ? text : new Date(moment).toISOString();
}

function count(option: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(parseCount('logs', option, text));
}
