import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import { parseCount } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { onInterruption } from '../interruption.js';
import { formatEvent } from '../output/event.js';
import { print } from '../output/print.js';

export const command = defineCommand({
  summary: 'Print what happened: starts, exits, restarts, operations',
  usage: 'events',
  options: {
    follow: { type: 'boolean', short: 'f', description: 'stay for what comes' },
    limit: { type: 'string', short: 'n', value: 'n', description: 'how many of the past, default 50' },
    service: { type: 'string', short: 's', value: 'name', description: 'only this service' },
    json: { ...JSON_OPTION, description: 'print one JSON object a line' },
  },
  async run({ values }) {
    const query = {
      limit: values.limit === undefined ? undefined : String(parseCount('events', '--limit', values.limit)),
      service: values.service,
      follow: values.follow ? '1' : undefined,
    };
    const interruption = onInterruption();
    const client = connectIfUsed(homeFrom(process.env));
    try {
      for await (const event of client.stream('events', { query, signal: interruption.signal })) {
        print(values.json ? JSON.stringify(event) : formatEvent(event));
      }
    } catch (error) {
      if (!isUnusedHome(error)) throw error;
    }
    return interruption.exitCode;
  },
});
