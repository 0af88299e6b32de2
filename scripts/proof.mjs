/**
 * `npm run proof` lists the long demonstrations of what upkeep promises;
 * `npm run proof <topic>/<name> [--scale 0.1]` runs one.
 */
import { readFileSync } from 'node:fs';
import { ensureBuilt, filesUnder, run } from './setup.mjs';

const RUNNERS = {
  ts: [process.execPath, '--import', 'tsx'],
  mjs: [process.execPath],
  sh: ['bash'],
};

const proofs = new Map(
  filesUnder('proofs').flatMap((file) => {
    const [, name, extension] = /^proofs\/([^/]+\/[^/]+)\.(ts|mjs|sh)$/.exec(file) ?? [];
    return name ? [[name, { file, runner: RUNNERS[extension] }]] : [];
  }),
);

const [name, ...args] = process.argv.slice(2);
if (name === undefined) listProofs();
else runProof(name, [...swallowedByNpm(), ...args]);

function runProof(name, args) {
  const proof = proofs.get(name);
  if (!proof) {
    console.error(`Cannot run "${name}": there is no such proof`);
    const near = nearest(name);
    console.error(near ? `  hint: did you mean "${near}"?` : '  hint: npm run proof lists all of them');
    process.exitCode = 2;
    return;
  }
  ensureBuilt();
  const [command, ...options] = proof.runner;
  process.exitCode = run(command, [...options, proof.file, ...args]);
}

function listProofs() {
  if (proofs.size === 0) return console.log('There are no proofs yet (proofs/<topic>/<name>.{ts,mjs,sh})');
  const width = Math.max(...[...proofs.keys()].map((name) => name.length));
  for (const [name, { file }] of proofs) console.log(`${name.padEnd(width)}  ${description(file)}`);
  console.log('\nRun one with: npm run proof <topic>/<name> [--scale 0.1]');
}

/** The first sentence of the first comment. */
function description(file) {
  const text = readFileSync(file, 'utf8').replace(/^#!.*\n/, '');
  const [, block, lines] = /^\s*(?:\/\*\*?(.*?)\*\/|((?:(?:\/\/|#).*\n)+))/s.exec(text) ?? [];
  const words = (block ?? lines ?? '').replaceAll(/^\s*(?:\*|\/\/|#)?\s?/gm, ' ').replaceAll(/\s+/g, ' ');
  return words.trim().replace(/(?<=\.)\s.*$/, '');
}

/** npm takes `--scale 0.1` for an option of its own unless `--` stands before it, and tells it in a variable. */
function swallowedByNpm() {
  const scale = process.env.npm_config_scale;
  if (scale === undefined) return [];
  return scale === 'true' ? ['--scale'] : ['--scale', scale];
}

/** By what names share with the typed word: whole parts, else the most letters from the start. */
function nearest(typed) {
  const parts = typed.split(/[/-]/);
  const likeness = (name) =>
    parts.filter((part) => name.split(/[/-]/).includes(part)).length * 100 + commonStart(name, typed);
  const [best] = [...proofs.keys()].sort((a, b) => likeness(b) - likeness(a));
  return best !== undefined && likeness(best) > 1 ? best : undefined;
}

function commonStart(a, b) {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}
