/** `npm run check`: everything that can be known without starting a daemon, in under half a minute. Only failures speak. */
import { ensureBuilt, filesUnder, runQuietly, TEST_RUNNER } from './setup.mjs';

ensureBuilt();

const UNIT_TESTS = [
  ...filesUnder('src'),
  'test/layers.test.ts',
  'test/shim-binary.test.ts',
  'test/docs.test.ts',
].filter((file) => file.endsWith('.test.ts'));

const STEPS = {
  tests: [process.execPath, ...TEST_RUNNER, ...UNIT_TESTS],
  types: ['node_modules/.bin/tsc'],
  lint: ['node_modules/.bin/oxlint'],
  format: ['node_modules/.bin/prettier', '--check', '--cache', '--log-level', 'warn', '.'],
};

const startedAt = performance.now();
const seconds = () => ((performance.now() - startedAt) / 1000).toFixed(1);
const results = await Promise.all(
  Object.entries(STEPS).map(async ([step, [command, ...args]]) => {
    const { code, output } = await runQuietly(command, args);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${step.padEnd(6)} ${seconds()} s`);
    return { step, code, output };
  }),
);

const failed = results.filter(({ code }) => code !== 0);
for (const { step, output } of failed) console.log(`\n── ${step} ──\n${output.trim()}`);
console.log(
  `\ncheck: ${failed.length === 0 ? 'all good' : `${failed.map(({ step }) => step).join(', ')} failed`}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
