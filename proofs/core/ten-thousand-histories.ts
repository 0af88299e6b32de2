/** Lets instances, restarts, queues, graphs and specs live through 100 000 random histories: every promise is kept. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' } } });
const histories = Math.max(1000, Math.round(100_000 * Number(values.scale)));

const files = readdirSync(`${ROOT}src/core`).filter((file) => file.endsWith('.prop.test.ts'));
const startedAt = performance.now();
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-reporter=spec', ...files.map((file) => `src/core/${file}`)],
  { cwd: ROOT, stdio: 'inherit', env: { ...process.env, UPKEEP_PROP_RUNS: String(histories) } },
);
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
const verdict = status === 0 ? 'every promise kept' : 'a promise was broken';
console.log(
  `\n${histories} histories of an instance, ${files.length} groups of properties, ${seconds} s: ${verdict}`,
);
process.exitCode = status === 0 ? 0 : 1;
