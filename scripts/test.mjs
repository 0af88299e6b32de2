/** `npm test`: everything, from a fresh clone on. Ends with Node's own summary of the tests that start processes. */
import { availableParallelism } from 'node:os';
import { ensureBuilt, filesUnder, run, TEST_RUNNER } from './setup.mjs';

const SUITES = ['test/integration', 'test/e2e', 'test/chaos'];
/** Files at a time. Tests wait more than they work, so there is one more than processors. */
const CONCURRENCY = `--test-concurrency=${availableParallelism() + 1}`;

ensureBuilt();
const tests = SUITES.flatMap(filesUnder).filter((file) => file.endsWith('.test.ts'));
// What fails here is quick to see and to mend, and must not be hidden behind a cheerful summary.
process.exitCode = run(process.execPath, ['scripts/check.mjs']);
if (process.exitCode === 0 && tests.length > 0) {
  process.exitCode = run(process.execPath, [...TEST_RUNNER, CONCURRENCY, ...tests]);
}
