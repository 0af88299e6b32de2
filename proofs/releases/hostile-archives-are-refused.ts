/**
 * 152 kinds of hostile archives are refused, each by its rule and with its entry named, and leave nothing behind.
 *
 * They are made here byte by byte. Around each lies a folder that must be the same afterwards. Honest archives, of npm, git, GNU
 * tar, zip and Python, give exactly what other tools take out of them, with modes of 0644 and 0755.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UpkeepError } from '../../src/protocol/index.js';
import { extractArchive } from '../../src/release/index.js';
import { snapshot } from '../../test/rig/snapshot.js';
import { checkHonestArchives } from './hostile-archives-are-refused/honest.js';
import { HOSTILE_TARS } from './hostile-archives-are-refused/hostile-tars.js';
import { HOSTILE_ZIPS } from './hostile-archives-are-refused/hostile-zips.js';
import type { HostileKind } from './hostile-archives-are-refused/kind.js';

const AT_ONCE = 2;

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const every = Math.max(1, Math.round(1 / Number(values.scale)));
const all = [
  ...HOSTILE_TARS.map((kind) => ({ ...kind, what: `tar: ${kind.what}` })),
  ...HOSTILE_ZIPS.map((kind) => ({ ...kind, what: `zip: ${kind.what}` })),
];
const kinds = all.filter((_, each) => each % every === 0);

const root = mkdtempSync(join(tmpdir(), 'upkeep-archives-'));
const startedAt = performance.now();
const faults: string[] = [];
const rules = new Set<string>();
try {
  const queue = [...kinds.entries()];
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(queue)));
  for (const fault of faults) console.log(`FAULT ${fault}`);
  assert.equal(faults.length, 0, 'kinds that were not refused as they should be');
  const honest = await checkHonestArchives(join(root, 'honest'));
  for (const { name, entries, bytes } of honest) {
    console.log(`extracted exactly: ${name.padEnd(44)} ${entries} entries, ${bytes} bytes`);
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `${kinds.length} of ${all.length} kinds of hostile archives refused by ${rules.size} rules, nothing left; ` +
      `${honest.length} honest ones extracted exactly; ${seconds} s`,
  );
} finally {
  rmSync(root, { recursive: true });
}

async function work(queue: [number, HostileKind][]): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const fault = await tryOne(...next);
    if (fault !== undefined) faults.push(`${next[1].what}: ${fault}`);
  }
}

/** What was wrong about how it was refused. */
async function tryOne(id: number, { bytes, rule, entry, options }: HostileKind): Promise<string | undefined> {
  const arena = join(root, `${id}`);
  const archive = join(arena, 'archive');
  mkdirSync(join(arena, 'releases'), { recursive: true });
  writeFileSync(archive, Buffer.isBuffer(bytes) ? bytes : bytes());
  writeFileSync(join(arena, 'victim.txt'), 'untouched');
  writeFileSync(join(arena, 'releases', 'victim.txt'), 'untouched');
  const before = snapshot(arena);
  const error = await extractArchive(archive, join(arena, 'releases', 'new'), options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const after = snapshot(arena);
  rmSync(arena, { recursive: true });
  if (!(error instanceof UpkeepError)) return `it was extracted, or failed otherwise: ${String(error)}`;
  const details = error.details as { rule?: string; entry?: string } | undefined;
  if (details?.rule !== rule) return `not by the rule ${rule}: ${error.message}`;
  if ((details.entry ?? null) !== entry)
    return `without the entry ${JSON.stringify(entry)}: ${error.message}`;
  if (!error.message.includes(archive) || !error.hint)
    return `without archive or next step: ${error.message}`;
  if (/[\p{Cc}\p{Bidi_Control}]/u.test(error.message)) return 'the message holds what a terminal obeys';
  if (after.join('\n') !== before.join('\n')) return `it left something: ${after.join(', ')}`;
  rules.add(rule);
  return undefined;
}
