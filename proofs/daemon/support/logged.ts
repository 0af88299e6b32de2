/** Stops the services that log, and looks for every line that they have printed. */
import { assertSucceeded, type Rig } from '../../../test/rig/index.js';
import { readLog } from '../../logs/support/numbered-lines.js';
import { LOGGERS } from './services.js';

export interface Logged {
  readonly written: number;
  readonly lost: number;
  readonly doubled: number;
  readonly torn: number;
}

export async function countLines(rig: Rig): Promise<Logged> {
  assertSucceeded(await rig.request({ kind: 'stop', services: Object.keys(LOGGERS) }));
  const all = { written: 0, lost: 0, doubled: 0, torn: 0 };
  for (const [name, { instances }] of Object.entries(LOGGERS)) {
    const { logs } = await rig.client.call('service', { params: { name } });
    for (const tally of readLog(logs.out, name, instances)) {
      if (tally.example !== undefined) console.log(`${tally.origin}, ${tally.files} files: ${tally.example}`);
      for (const key of ['written', 'lost', 'doubled', 'torn'] as const) all[key] += tally[key];
    }
  }
  return all;
}
