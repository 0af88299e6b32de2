/** `npm test`: everything, from a fresh clone on. Ends with Node's own summary of the tests that start processes. */
import { ensureBuilt, filesUnder, run, TEST_RUNNER } from './setup.mjs';

const SUITES = ['test/integration', 'test/e2e', 'test/chaos'];

ensureBuilt();
const tests = SUITES.flatMap(filesUnder).filter((file) => file.endsWith('.test.ts'));
const checked = run(process.execPath, ['scripts/check.mjs']);
const tested = tests.length === 0 ? 0 : run(process.execPath, [...TEST_RUNNER, ...tests]);
process.exitCode = checked || tested;
