/** Files, and who may read them after the bits of every folder above. */
import { lstatSync, readdirSync, statSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FileFact } from '../machine.js';
import type { Sight } from './sight.js';

type Audience = FileFact['readableBy'];

/** Beyond it a home is not one of upkeep. */
const MAX_FILES = 20_000;
const READ = { group: 0o040, everyone: 0o004 };
const ENTER = { group: 0o010, everyone: 0o001 };

export function readFileFact(path: string, sight: Sight): FileFact | undefined {
  return sight.look(path, () => toFact(path, statSync(path), entry(dirname(path))));
}

/** Everything below a folder; links are not followed. */
export function readFilesBelow(folder: string, what: string, sight: Sight): FileFact[] {
  const found: FileFact[] = [];
  const pending = [folder];
  for (let next = pending.pop(); next !== undefined && found.length < MAX_FILES; next = pending.pop()) {
    const path = next;
    const who = sight.look(what, () => entry(path)) ?? 'owner';
    for (const name of sight.look(what, () => readdirSync(path)) ?? []) {
      const fact = sight.look(what, () => toFact(join(path, name), lstatSync(join(path, name)), who));
      if (fact) found.push(fact);
      if (fact?.kind === 'folder') pending.push(fact.path);
    }
  }
  return found;
}

/** Who gets into a folder. */
function entry(folder: string): Audience {
  const own = audience(statSync(folder).mode, ENTER);
  const parent = dirname(folder);
  return parent === folder ? own : narrower(own, entry(parent));
}

/** `who` gets into its folder. */
function toFact(path: string, stats: Stats, who: Audience): FileFact {
  const { mode, uid, size: bytes, mtimeMs: changedAt } = stats;
  const readableBy = narrower(audience(mode, READ), who);
  return { path, kind: kindOf(stats), uid, bytes, changedAt, readableBy };
}

function kindOf(stats: Stats): FileFact['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSocket() ? 'socket' : 'other';
}

function audience(mode: number, bits: typeof READ): Audience {
  if (mode & bits.everyone) return 'everyone';
  return mode & bits.group ? 'group' : 'owner';
}

const WIDTHS: readonly Audience[] = ['owner', 'group', 'everyone'];

function narrower(one: Audience, other: Audience): Audience {
  return WIDTHS[Math.min(WIDTHS.indexOf(one), WIDTHS.indexOf(other))]!;
}
