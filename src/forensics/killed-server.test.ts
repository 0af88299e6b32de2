import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChildEnd, SentKill } from './evidence.js';
import {
  findServerKill,
  findTracedKill,
  judgeServerKill,
  wasLastOf,
  type Server,
  type ServerKill,
} from './killed-server.js';
import type { SeenSignal } from '../system/index.js';
import { ENDED_AT, MAIN, madeUpEvidence, seen, SHIM, testimony } from './made-up-evidence.js';
import { decideVerdict } from './verdict.js';

const SHELL = 200;
const SERVER = 201;
const KILLED_AT = ENDED_AT - 1000;

function kill(of: Partial<SentKill> = {}): SentKill {
  return {
    pid: MAIN,
    at: KILLED_AT,
    target: SHELL,
    signal: 'SIGTERM',
    reason: 'max-buffer',
    place: 'index.js:3',
    command: 'npm run serve',
    printedBytes: 1024 * 1024,
    isPassedOn: false,
    ...of,
  };
}

function end(of: Partial<ChildEnd> = {}): ChildEnd {
  return { pid: MAIN, at: KILLED_AT + 5, child: SHELL, code: null, signal: 'SIGTERM', command: null, ...of };
}

function server(of: Partial<Server> = {}): Server {
  return {
    pid: SERVER,
    since: KILLED_AT - 5000,
    ancestors: [SHELL, MAIN],
    isAlive: false,
    aliveAt: KILLED_AT - 500,
    ...of,
  };
}

const found = (
  kills: readonly SentKill[],
  ends: readonly ChildEnd[],
  servers: readonly Server[],
  askedAt: number | null = null,
): ReturnType<typeof findServerKill> =>
  findServerKill(testimony({ kills, childEnds: ends }), servers, askedAt);

test('what ran below a killed child and has listened is the server that its wrapper killed', () => {
  const killed = found([kill()], [end()], [server()]);
  assert.equal(killed?.server, SERVER);
  const { describe } = madeUpEvidence({});
  const verdict = judgeServerKill(killed, MAIN, describe(MAIN, KILLED_AT, 'node'));
  assert.deepEqual([verdict.cause, verdict.confidence], ['exec-max-buffer', 'certain']);
  assert.match(
    verdict.summary,
    /^its own wrapper \(pid 100\) killed "npm run serve" at index.js:3 after 1\.0 MB/,
  );
  assert.ok(verdict.evidence.some(({ fact }) => fact.includes('ran below it and is gone')));
});

test('nobody is named whose server lives, never listened, or listened only later', () => {
  assert.equal(found([kill()], [end()], [server({ isAlive: true })]), undefined);
  assert.equal(found([kill()], [end()], [server({ ancestors: [MAIN] })]), undefined);
  assert.equal(found([kill()], [end()], [server({ since: KILLED_AT + 1 })]), undefined);
  assert.equal(found([kill()], [], [server()]), undefined);
});

test('another signal than the one that was sent is no end by it; an end in answer to it is likely', () => {
  assert.equal(found([kill()], [end({ signal: 'SIGKILL' })], [server()]), undefined);
  const { describe } = madeUpEvidence({});
  const confidenceOf = (reason: SentKill['reason'], at = KILLED_AT + 5): string => {
    const killed = found([kill({ reason })], [end({ signal: null, code: 0, at })], [server()]);
    return judgeServerKill(killed!, MAIN, describe(MAIN, 0, 'node')).confidence;
  };
  assert.equal(confidenceOf('call'), 'likely');
  assert.equal(confidenceOf('max-buffer'), 'certain', 'it may die of its closed pipe first');
  assert.equal(confidenceOf('max-buffer', KILLED_AT + 5000), 'likely');
});

test('a master that replaces a worker, and who passes on that it is to end, killed nobody', () => {
  const servers = [server(), server({ pid: 300, ancestors: [MAIN], isAlive: true })];
  assert.equal(found([kill({ reason: 'call' })], [end()], servers), undefined);
  assert.equal(found([kill({ reason: 'call' })], [end()], [server()])?.server, SERVER);
  assert.equal(found([kill()], [end()], servers)?.server, SERVER, 'exec does not replace');
  assert.equal(found([kill({ isPassedOn: true })], [end()], [server()]), undefined);
  assert.equal(found([kill()], [end()], [server()], KILLED_AT), undefined, 'upkeep had asked');
  assert.equal(found([kill()], [end()], [server()], KILLED_AT + 1)?.server, SERVER);
});

test('an end by a failed probe names the wrapper, and what to do about it', () => {
  const asked = { by: 'upkeep: unhealthy (no answer within 1s)', signals: ['SIGTERM'] };
  const { describe } = madeUpEvidence({});
  const serverKill = judgeServerKill(found([kill()], [end()], [server()])!, MAIN, describe(MAIN, 0, 'node'));
  const verdict = decideVerdict(
    madeUpEvidence({ askedBy: asked.by, signal: 'SIGTERM' }, { asked, serverKill }),
  );
  assert.equal(verdict.cause, 'unhealthy');
  assert.match(
    verdict.summary,
    /unhealthy \(no answer within 1s\), because its own wrapper \(pid 100\) killed/,
  );
  assert.match(verdict.hint!, /use spawn/);
});

test('only the last one that served is what made the service unhealthy', () => {
  const killed = found([kill()], [end()], [server()])!;
  const sibling = server({ pid: 202, aliveAt: KILLED_AT + 1000 });
  const late = server({ pid: 300, ancestors: [MAIN], since: KILLED_AT + 5000, aliveAt: KILLED_AT + 9000 });
  const early = server({ pid: 301, ancestors: [MAIN], aliveAt: KILLED_AT - 9000 });
  assert.ok(wasLastOf([server(), sibling, early], killed));
  assert.ok(!wasLastOf([server(), late], killed), 'another one came after it, and ended in its own way');
  assert.ok(!wasLastOf([server(), server({ pid: 300, ancestors: [MAIN], isAlive: true })], killed));
});

test('the kernel tells who killed a server whose parent says nothing, where nobody serves any more', () => {
  const ask = (of: Partial<SeenSignal>, servers = [server()], askedAt: number | null = null): unknown =>
    findTracedKill(
      [seen({ target: SERVER, signal: 15, at: KILLED_AT, sender: SHELL, senderName: 'timeout', ...of })],
      {
        servers,
        askedAt,
        main: MAIN,
        own: [SHIM],
      },
    );
  const found = ask({}) as ServerKill;
  const { describe } = madeUpEvidence({});
  const verdict = judgeServerKill(found, MAIN, { ...describe(SHELL, 0, 'timeout'), place: 'tree' });
  assert.deepEqual([verdict.cause, verdict.confidence], ['time-limit', 'likely']);
  assert.match(
    verdict.summary,
    /^the process that served \(pid 201\) ended by SIGTERM, sent by a process of its own tree/,
  );
  assert.match(verdict.hint!, /take timeout out/);

  assert.equal(ask({}, [server(), server({ pid: 300, isAlive: true })]), undefined, 'another one serves');
  assert.equal(ask({}, [server({ isAlive: true })]), undefined);
  assert.equal(ask({ at: KILLED_AT - 5000 }), undefined, 'it lived after that');
  assert.equal(ask({ code: 1 }), undefined, 'of the kernel');
  assert.equal(ask({ sender: SERVER }), undefined, 'its own');
  assert.equal(ask({ sender: SHIM }), undefined, 'of upkeep');
  assert.equal(ask({}, [server()], KILLED_AT), undefined, 'upkeep had asked');
});

test('what a wrapper ends by itself is no killing where somebody has served since, whatever became of that one', () => {
  const call = kill({ reason: 'call' });
  const later = server({ pid: SERVER + 10, since: KILLED_AT + 900, ancestors: [MAIN] });
  assert.equal(found([call], [end()], [server(), later]), undefined);
  assert.equal(found([kill()], [end()], [server(), later])?.server, SERVER, 'beyond its maxBuffer it is');
  assert.equal(found([call], [end()], [server()])?.server, SERVER);
});
