import { connectOnly, connectOrStart, homeFrom, type Home } from '../../client/index.js';
import { UpkeepError } from '../../protocol/index.js';
import { oneOperand, usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatDaemon } from '../output/daemon.js';
import { print, printJson } from '../output/print.js';
import { stopDaemon } from '../daemon-stop.js';

const EXIT_NOT_RUNNING = 3;

export const command = defineCommand({
  summary: 'Look at the daemon, start it, end it, replace it',
  usage: 'daemon status | start | stop | upgrade',
  examples: ['upkeep daemon upgrade', 'upkeep daemon upgrade --to /opt/upkeep-1.4.0'],
  options: {
    json: JSON_OPTION,
    'with-services': { type: 'boolean', description: 'stop: end all services first' },
    to: {
      type: 'string',
      value: 'PATH',
      description: 'upgrade: the folder of an installed upkeep; default: the one that this command is of',
    },
    timeout: {
      type: 'string',
      value: 'TIME',
      description: 'upgrade: for each step of the new version, default 15s',
    },
  },
  operands: ['status', 'start', 'stop', 'upgrade'],
  async run({ values, operands }) {
    const home = homeFrom(process.env);
    const action = oneOperand('daemon', operands, '"status", "start", "stop" or "upgrade"');
    switch (action) {
      case 'status':
        return showStatus(home, values.json);
      case 'start':
        return start(home, values.json);
      case 'stop':
        return stopDaemon(home, { json: values.json, withServices: values['with-services'] });
      case 'upgrade': {
        const { upgradeDaemon } = await import('../daemon-upgrade.js');
        return upgradeDaemon(home, values);
      }
      default:
        throw usageError('daemon', `"${action}" is none of "status", "start", "stop" and "upgrade"`);
    }
  },
});

async function showStatus(home: Home, json = false): Promise<number> {
  try {
    const daemon = await connectOnly(home).call('daemon', { anyProtocol: true });
    if (json) printJson({ running: true, ...daemon });
    else print(formatDaemon(daemon));
    return 0;
  } catch (error) {
    if (!(error instanceof UpkeepError && error.code === 'daemon-unreachable')) throw error;
    if (json) printJson({ running: false, home: home.path });
    else print(`The daemon is not running (home ${home.path})`);
    return EXIT_NOT_RUNNING;
  }
}

async function start(home: Home, json = false): Promise<void> {
  const daemon = await connectOrStart(home).call('daemon');
  if (json) printJson({ running: true, ...daemon });
  else print(formatDaemon(daemon));
}
