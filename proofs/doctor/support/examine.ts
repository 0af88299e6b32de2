/** Runs inside of the namespaces: one sickness, from the healthy machine to the healed one. */
import assert from 'node:assert/strict';
import { isolate } from './isolation.js';
import { Patient, type Diagnosis } from './patient.js';
import type { Sickness } from './sickness.js';

const [name = '', folder = ''] = process.argv.slice(2);
const place = isolate(folder);
Object.assign(process.env, { HOME: place.root, TMPDIR: place.disk });

const { sickness } = (await import(`../sick-machines/${name}.js`)) as { sickness: Sickness };
const patient = await Patient.create(place);
assertHealthy(await patient.diagnose(), 'before');
await sickness.prepare(patient);
const diagnosis = await patient.diagnose();
assert.deepEqual(idsOf(diagnosis), [...sickness.finds].sort(), JSON.stringify(diagnosis.findings, null, 2));
const [first] = diagnosis.findings.filter(({ id }) => id === sickness.finds[0]);
sickness.verify(first!, patient);
const isNoteOnly = diagnosis.findings.every(({ severity }) => severity === 'note');
assert.equal(diagnosis.exitCode, isNoteOnly ? 0 : 8, 'the exit code tells');
console.log(`${first!.severity.padEnd(7)} ${first!.id}: ${first!.fact}`);
console.log(`        fix: ${first!.command}${await heal(diagnosis)}`);
// The namespaces end with this process, and everybody in them.
process.exit(0);

async function heal({ findings }: Diagnosis): Promise<string> {
  if (sickness.heals === undefined) {
    assert.ok(
      findings.every(({ repair }) => repair === undefined),
      'what --fix can do is tried',
    );
    return '';
  }
  if (sickness.heals === 'fix') {
    const { fixed, findings: left } = await patient.diagnose('--fix');
    assert.deepEqual(left, []);
    assert.deepEqual(fixed.map(({ id }) => id).sort(), [...sickness.finds].sort());
  } else {
    for (const command of new Set(findings.map((finding) => finding.command))) {
      const { code, stderr } = await patient.shell(command);
      assert.equal(code, 0, `${command}: ${stderr}`);
    }
  }
  assertHealthy(await patient.diagnose(), 'after');
  return sickness.heals === 'fix' ? '   (healed by --fix)' : '   (healed by this command)';
}

function assertHealthy({ findings, unseen, exitCode }: Diagnosis, when: string): void {
  assert.deepEqual(findings, [], `nothing is found on the healthy machine, ${when}`);
  assert.deepEqual(unseen, [], 'root sees everything');
  assert.equal(exitCode, 0);
}

function idsOf({ findings }: Diagnosis): string[] {
  return findings.map(({ id }) => id).sort();
}
