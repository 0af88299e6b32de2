import http from 'node:http';
import type { Socket } from 'node:net';
import type { Answer, RateNews, RateOptions } from './rate-load.js';

const {
  port,
  perSecond,
  path = '/',
  version: place = { header: 'x-version' },
  isDetailed = false,
} = JSON.parse(process.argv[2]!) as RateOptions;
const paths = [path].flat();
const said = 'body' in place ? new RegExp(place.body) : undefined;
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
/** A server closes what was idle for five seconds, and what is sent at that very moment is lost: whoever asks closes it before. */
const IDLE_MS = 4000;
const agent = new http.Agent({ keepAlive: true, maxSockets: 50, timeout: IDLE_MS });
const usedAt = new WeakMap<Socket, number>();
let answers: Answer[] = [];
let underWay = 0;
let isOver = false;

const beganAt = performance.now();
const asking = setInterval(() => {
  const due = Math.floor(((performance.now() - beganAt) / 1000) * perSecond);
  // Half of them on connections of their own, as browsers that come anew.
  while (report.asked < due) ask(report.asked % 2 === 0 ? agent : undefined);
}, TICK_MS);
setInterval(() => {
  process.send?.({ report, answers } satisfies RateNews);
  answers = [];
}, REPORT_MS);
process.once('disconnect', () => process.kill(process.pid));
process.once('message', () => {
  clearInterval(asking);
  isOver = true;
  endIfOver();
});

function ask(by: http.Agent | undefined): void {
  // Each of them both ways.
  const asked = paths[(report.asked >> 1) % paths.length];
  report.asked++;
  underWay++;
  let idleMs: number | undefined;
  const request = http.get(
    { port, host: '127.0.0.1', path: asked, agent: by ?? false, timeout: PATIENCE_MS },
    (response) => {
      const { socket } = response;
      let body = '';
      response.on('data', (bytes: Buffer) => (body += said ? bytes.toString('latin1') : ''));
      response.once('end', () => {
        const version = versionOf(response, body);
        report.answered++;
        usedAt.set(socket, performance.now());
        if (version !== undefined) report.byVersion[version] = (report.byVersion[version] ?? 0) + 1;
        if (response.statusCode === 200) note(version ?? null, null);
        else fail(`status ${response.statusCode} by ${version}`, version ?? null);
      });
      response.once('error', (error) => {
        const version = versionOf(response, body);
        fail(`${(error as NodeJS.ErrnoException).code} in the answer of ${version}`, version ?? null);
      });
    },
  );
  request.once('socket', (socket) => {
    const lastAt = usedAt.get(socket);
    if (lastAt !== undefined) idleMs = performance.now() - lastAt;
  });
  request.once('timeout', () => request.destroy(new Error('no answer')));
  request.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') report.refused++;
    const kept = idleMs === undefined ? '' : ` on a kept connection, idle for ${Math.round(idleMs)} ms`;
    fail(`${error.code ?? error.message}${kept}`, null);
  });
  request.once('close', () => {
    underWay--;
    endIfOver();
  });
}

function versionOf({ headers }: http.IncomingMessage, body: string): string | undefined {
  return 'header' in place ? String(headers[place.header]) : said?.exec(body)?.[1];
}

function fail(what: string, version: string | null): void {
  report.failed++;
  if (report.failures.length < KEPT_FAILURES) report.failures.push(what);
  note(version, what);
}

function note(version: string | null, fault: string | null): void {
  if (isDetailed) answers.push({ at: Date.now(), version, fault });
}

/** All that were asked are told of. */
function endIfOver(): void {
  if (isOver && underWay === 0)
    process.send?.({ report, answers } satisfies RateNews, () => process.disconnect());
}
