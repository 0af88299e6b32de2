/**
 * Sick machines, each prepared in namespaces of its own: doctor finds exactly that with its evidence, nothing where all is well.
 *
 * Every machine is healthy first, and says so. Where `--fix` or the command of the finding heals, it is run, and then
 * the machine is healthy again. It needs root, for the namespaces.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string', default: '' } },
});
assert.equal(process.getuid?.(), 0, 'it needs root');
const folder = join(import.meta.dirname, 'sick-machines');
const all = readdirSync(folder)
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => name.includes(values.only));
const names = all.slice(0, Math.ceil(all.length * Number(values.scale)));

let healed = 0;
const failures: string[] = [];
for (const [index, name] of names.entries()) {
  const { isFound, output } = await examine(name);
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

interface Examination {
  readonly isFound: boolean;
  readonly output: string;
}

/** A shell is the first process of the machine: it reaps whatever is orphaned there. */
async function examine(name: string): Promise<Examination> {
  const place = mkdtempSync(join(tmpdir(), 'upkeep-sick-'));
  const script = join(import.meta.dirname, 'support/examine.ts');
  const node = [process.execPath, '--import', 'tsx', script, name, place];
  const namespaces = ['--mount', '--pid', '--fork', '--mount-proc', '--net', '--kill-child'];
  try {
    return await new Promise((answer) => {
      const argv = [...namespaces, '/bin/sh', '-c', '"$@"; exit $?', 'sh', ...node];
      execFile('unshare', argv, { encoding: 'utf8' }, (error, stdout, stderr) => {
        const isFound = error === null;
        answer({ isFound, output: (isFound ? stdout : `${stdout}${stderr}`).trim() });
      });
    });
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
