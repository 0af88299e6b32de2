/** Which Node.js runs, and which one is wanted. */
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NodeDemand, Process } from '../machine.js';
import { isNode } from '../words.js';
import { remembering } from './lazily.js';
import type { Sight } from './sight.js';

const ANSWER_MS = 5000;

/** Asks the very file that runs, also where it was deleted since. */
export function nodeVersions(sight: Sight): (process: Process) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (node) => {
    if (!isNode(node)) return undefined;
    const path = `/proc/${node.pid}/exe`;
    const stats = sight.stats(path, `the version of Node.js of pid ${node.pid}`);
    if (!stats) return undefined;
    // Nobody's program is run with the rights of somebody else.
    if (stats.uid !== 0 && stats.uid !== process.getuid?.()) {
      sight.unseen.add(
        `the version of Node.js of pid ${node.pid}, whose executable belongs to uid ${stats.uid}`,
      );
      return undefined;
    }
    const key = `${stats.dev} ${stats.ino}`;
    if (!known.has(key)) known.set(key, ask(path));
    return known.get(key);
  };
}

function ask(path: string): string | undefined {
  try {
    const text = execFileSync(path, ['--version'], { timeout: ANSWER_MS, env: {}, encoding: 'utf8' });
    return /^v(\d+\.\d+\.\d+)/.exec(text)?.[1];
  } catch {
    return undefined; // it ended meanwhile, or its libraries are gone
  }
}

/** Of the nearest folder that says something about Node.js or has a package.json. */
export function nodeDemands(sight: Sight): (folder: string) => readonly NodeDemand[] {
  const search = (folder: string): readonly NodeDemand[] => {
    const demands = demandsIn(folder, sight);
    const isEnd =
      dirname(folder) === folder || statSync(join(folder, 'package.json'), { throwIfNoEntry: false });
    return demands.length > 0 || isEnd ? demands : search(dirname(folder));
  };
  return remembering(search);
}

function demandsIn(folder: string, sight: Sight): NodeDemand[] {
  const manifest = join(folder, 'package.json');
  const lines = ['.nvmrc', '.node-version'].map((name) => ({
    file: join(folder, name),
    range: sight.text(join(folder, name))?.trim(),
  }));
  return [{ file: manifest, range: engineOf(sight.text(manifest)) }, ...lines].flatMap(({ file, range }) =>
    range ? { file, range } : [],
  );
}

function engineOf(manifest = '{}'): string | undefined {
  try {
    const { engines } = JSON.parse(manifest) as { engines?: { node?: unknown } };
    return typeof engines?.node === 'string' ? engines.node : undefined;
  } catch {
    return undefined; // npm will tell
  }
}
