/** Runs one application on Node 7.10 to 26: port, drain and hold work in all of them, and no application sees the preload. */
import { parseArgs } from 'node:util';
import { cluster, drain, type Feature, hold, port, ready, wrapper } from './node-versions/features.js';
import { honest } from './node-versions/honesty.js';
import { install, VERSIONS } from './node-versions/versions.js';

const FULL_ROUNDS = 10;
/** It asks for a loader of its own in what is older. */
const TSX = ['--import', import.meta.resolve('tsx')];

const FEATURES: Readonly<Record<string, Feature>> = {
  port,
  ready,
  drain,
  hold,
  cluster,
  wrapper,
  'honest cjs': honest('honest.cjs'),
  'honest esm': honest('honest.mjs', { since: 12 }),
  'honest tsx': honest('honest.ts', { since: 20, args: TSX, ends: ['close', 'throw'] }),
  'honest cluster': honest('honest-cluster.cjs', { ends: ['close'] }),
};

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, versions: { type: 'string' } },
});
const rounds = Math.max(1, Math.round(FULL_ROUNDS * Number(values.scale)));
const versions = values.versions?.split(',') ?? VERSIONS;
const failures: string[] = [];
const rows: string[][] = [];
for (const version of versions) rows.push([version, ...(await tryAll(version))]);

console.log(`\n${formatTable([['Node', ...Object.keys(FEATURES)], ...rows])}\n`);
for (const failure of failures) console.log(failure);
const cells = rows.reduce((sum, row) => sum + row.length - 1, 0);
console.log(`${versions.length} versions of Node, ${cells} cells: ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function tryAll(version: string): Promise<string[]> {
  const node = install(version);
  const cells: string[] = [];
  for (const [name, feature] of Object.entries(FEATURES)) {
    const result = await feature(node, rounds).catch((error: Error) => error);
    if (typeof result !== 'string') failures.push(`Node ${version}, ${name}: ${result.message}`);
    cells.push(typeof result === 'string' ? result : 'FAILED');
  }
  console.log(
    `Node ${version}: ${cells.filter((cell) => cell === 'FAILED').length} of ${cells.length} failed`,
  );
  return cells;
}

function formatTable(table: readonly (readonly string[])[]): string {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
