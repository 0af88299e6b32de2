/** Whether the file that Node.js reads first parses: what a syntax error would end at once. */
import { spawn } from 'node:child_process';
import type { Facts, ServiceFacts } from '../facts/facts.js';
import { killGroup } from '../../../system/index.js';
import { findEntry } from '../facts/node-program.js';
import type { Finding } from '../finding.js';
import { asUser } from '../probe/run-probe.js';
import { within } from '../words.js';

const PATIENCE_MS = 15_000;
const SHOWN = 300;

export async function judgeSyntax(
  service: ServiceFacts,
  facts: Facts,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { spec, node, user } = service;
  const entry = findEntry(spec);
  if (node === undefined || entry === null || !/\.[cm]?js$/.test(entry)) return [];
  const path = within(facts.folder, entry);
  const said = await check(node, entry, { user, signal });
  if (said === null) {
    return [
      {
        area: 'host',
        rule: 'syntax',
        subject: spec.name,
        verdict: 'passed',
        text: `${path} of ${spec.name} parses`,
      },
    ];
  }
  const line = said.split('\n').find((each) => each.startsWith(entry) || each.startsWith(`file://${entry}`));
  const number = /:(\d+)\s*$/.exec(line ?? '')?.[1];
  const error = /^(\w*Error: .*)$/m.exec(said)?.[1]?.slice(0, SHOWN);
  if (error === undefined) return []; // Node.js itself failed, which is told by another rule
  const text = `${path}${number === undefined ? '' : `:${number}`} of ${spec.name} does not parse: ${error}`;
  return [
    {
      area: 'host',
      rule: 'syntax',
      subject: spec.name,
      verdict: 'failed',
      text,
      hint: 'correct it, and build again',
    },
  ];
}

/** null: it parses; else what Node.js printed. */
function check(
  node: string,
  entry: string,
  { user, signal }: { user: ServiceFacts['user']; signal: AbortSignal },
): Promise<string | null> {
  const child = spawn(node, ['--check', entry], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] },
    cwd: '/',
    detached: true,
    ...asUser(user),
  });
  const end = (): void => killGroup(child.pid);
  signal.addEventListener('abort', end, { once: true });
  const timer = setTimeout(end, PATIENCE_MS);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(0, 20_000)));
  return new Promise((resolve, reject) => {
    child.on('error', () => undefined); // 'close' follows
    child.once('close', (code) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(code === 0 ? null : said);
    });
  });
}
