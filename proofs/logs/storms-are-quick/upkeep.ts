import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { childrenByParent, descendants, readProcessTable } from '../../../src/system/index.js';
import { assertSucceeded, CLI, Rig } from '../../../test/rig/index.js';
import type { Peer } from './peer.js';

export async function upkeep(): Promise<Peer> {
  const rig = await Rig.create();
  const { pid: daemon } = await rig.client.call('daemon');
  return {
    name: 'upkeep',
    list: { argv: [process.execPath, CLI, 'list'], env: rig.env },
    async start(writers) {
      const logs = { compress: false }; // the files are read at once
      const services = writers.map(({ name, command }) => [name, { command: [...command], ports: [], logs }]);
      assertSucceeded(await rig.up(Object.fromEntries(services)));
    },
    processes() {
      const below = descendants(childrenByParent(readProcessTable()), daemon);
      const isShim = (row: (typeof below)[number]): boolean => row.name.startsWith('upkeep-shim');
      return { daemon: [daemon], shims: below.filter(isShim).map(({ pid }) => pid) };
    },
    files({ name }) {
      const folder = join(rig.home.path, 'logs', name);
      const number = (file: string): number => Number(/^out\.log\.?(\d*)/.exec(file)![1]);
      const files = readdirSync(folder).filter((file) => file.startsWith('out.log'));
      return files
        .sort((one, other) => number(other) - number(one))
        .map((file) => join(folder, file))
        .filter((path) => existsSync(path));
    },
    stop: () => rig[Symbol.asyncDispose](),
  };
}
