import http from 'node:http';
import type { RateOptions, RateReport } from './rate-load.js';

const { port, perSecond, path = '/' } = JSON.parse(process.argv[2]!) as RateOptions;
const TICK_MS = 20;
const KEPT_FAILURES = 50;
const REPORT_MS = 100;
const PATIENCE_MS = 15_000;

const report = {
  asked: 0,
  answered: 0,
  failed: 0,
  refused: 0,
  byVersion: {} as Record<string, number>,
  failures: [] as string[],
};
const agent = new http.Agent({ keepAlive: true, maxSockets: 50 });

const beganAt = performance.now();
setInterval(() => {
  const due = Math.floor(((performance.now() - beganAt) / 1000) * perSecond);
  // Half of them on connections of their own, as browsers that come anew.
  while (report.asked < due) ask(report.asked % 2 === 0 ? agent : undefined);
}, TICK_MS);
setInterval(() => process.send?.(report satisfies RateReport), REPORT_MS);
process.once('disconnect', () => process.kill(process.pid));

function ask(by: http.Agent | undefined): void {
  report.asked++;
  const request = http.get(
    { port, host: '127.0.0.1', path, agent: by ?? false, timeout: PATIENCE_MS },
    (response) => {
      const version = String(response.headers['x-version']);
      response.resume();
      response.once('end', () => {
        report.answered++;
        report.byVersion[version] = (report.byVersion[version] ?? 0) + 1;
        if (response.statusCode !== 200) fail(`status ${response.statusCode} by ${version}`);
      });
      response.once('error', (error) =>
        fail(`${(error as NodeJS.ErrnoException).code} in the answer of ${version}`),
      );
    },
  );
  request.once('timeout', () => request.destroy(new Error('no answer')));
  request.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') report.refused++;
    fail(error.code ?? error.message, request.reusedSocket);
  });
}

function fail(what: string, isReused = false): void {
  report.failed++;
  if (report.failures.length < KEPT_FAILURES)
    report.failures.push(`${what}${isReused ? ' on a kept connection' : ''}`);
}
