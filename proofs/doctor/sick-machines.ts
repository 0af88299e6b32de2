/**
 * Sick machines, each prepared in namespaces of its own: doctor finds exactly that with its evidence, nothing where all is well.
 *
 * Every machine is healthy first, and says so. Where `--fix` or the command of the finding heals, it is run, and then
 * the machine is healthy again. It needs root, for the namespaces, and `ip` (Debian's iproute2) in them.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runAlone } from './support/namespaces.js';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
const folder = join(import.meta.dirname, 'sick-machines');
const all = readdirSync(folder)
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => name.includes(values.only));
const names = all.slice(0, Math.ceil(all.length * Number(values.scale)));

let healed = 0;
const failures: string[] = [];
for (const [index, name] of names.entries()) {
  const { code, output } = await runAlone(join(import.meta.dirname, 'support/examine.ts'), [name]);
  const isFound = code === 0;
  console.log(
    `${String(index + 1).padStart(2)} ${isFound ? '' : 'FAILED '}${name}\n   ${output.replaceAll('\n', '\n   ')}`,
  );
  if (!isFound) failures.push(name);
  if (/\(healed by .*\)$/.test(output)) healed++;
}
console.log(
  `\n${names.length - failures.length} of ${names.length} sick machines: found exactly, with the right evidence; ` +
    `${healed} healed and clean in the second run; 0 findings on ${names.length} healthy ones`,
);
assert.deepEqual(failures, []);
