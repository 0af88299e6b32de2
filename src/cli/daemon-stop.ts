/** Ends the daemon, and before it the services where that is asked for. */
import { connectOnly, endDaemon, isDaemonThere, type Client, type Home } from '../client/index.js';
import { requestOperation } from './operation.js';
import { wordDaemonEnd, wordUnitEnd } from './output/daemon.js';
import { note, print, printJson } from './output/print.js';

export interface DaemonStopOptions {
  readonly json?: boolean | undefined;
  readonly withServices?: boolean | undefined;
}

export async function stopDaemon(home: Home, { json, withServices }: DaemonStopOptions): Promise<number> {
  if (!(await isDaemonThere(home))) return printAbsence(home, json);
  if (withServices) {
    const exitCode = await stopServices(connectOnly(home));
    if (exitCode !== 0) return exitCode;
  }
  const { daemon, unit } = await endDaemon(home);
  if (json) printJson({ running: false, ...daemon });
  else print([wordDaemonEnd(daemon), ...(unit ? [wordUnitEnd(unit)] : [])].join('\n'));
  return 0;
}

async function stopServices(client: Client): Promise<number> {
  const services = await client.call('services');
  return services.length === 0 ? 0 : requestOperation({ kind: 'stop', services: 'all' }, {}, client);
}

function printAbsence(home: Home, json = false): number {
  if (json) printJson({ running: false, home: home.path });
  else note(`The daemon is not running (home ${home.path})`);
  return 0;
}
