import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAuditLogReadable, parseAudit, readAuditTail } from './audit-log.js';

const hex = (text: string): string => Buffer.from(text).toString('hex').toUpperCase();
const call = (serial: number, of: string): string =>
  `type=SYSCALL msg=audit(1795947084.525:${serial}): arch=c000003e ${of} items=0 ppid=32338 pid=32667 auid=4294967295 uid=1000 gid=0 tty=(none) ses=4294967295 comm="bash" exe="/usr/bin/bash" key="upkeep"\u001dARCH=x86_64 SYSCALL=kill UID="root" pid=1`;
const target = (serial: number, pid: number): string =>
  `type=OBJ_PID msg=audit(1795947084.525:${serial}): opid=${pid} oauid=-1 ouid=0 oses=-1 ocomm="sleep"`;
const title = (serial: number, command: string): string =>
  `type=PROCTITLE msg=audit(1795947084.525:${serial}): proctitle=${hex(command)}`;

const KILL = 'syscall=62 success=yes exit=0 a0=7f9c a1=9 a2=0 a3=7f26a815eac0';
const AT = 1_795_947_084_525;

test('a signal is put together from the records of its event, with who sent it and to whom', () => {
  const text = [call(3, KILL), target(3, 32_668), title(3, 'bash\0-c\0kill -9 32668')].join('\n');
  assert.deepEqual(parseAudit(text, 0).signals, [
    {
      at: AT,
      signal: 9,
      target: 32_668,
      sender: 32_667,
      senderName: 'bash',
      code: 0,
      senderUid: 1000,
      senderCommand: 'bash -c kill -9 32668',
    },
  ]);
});

test('one call to a group has many targets, whatever stands between its records', () => {
  const lines = [
    call(3, KILL.replace('a1=9', 'a1=f')),
    call(4, KILL),
    target(3, 10),
    target(4, 20),
    target(3, 11),
  ];
  const sent = parseAudit(lines.join('\n'), 0).signals.map(({ target: to, signal }) => [to, signal]);
  assert.deepEqual(
    sent.sort((a, b) => a[0]! - b[0]!),
    [
      [10, 15],
      [11, 15],
      [20, 9],
    ],
  );
});

test('other calls send signals, too; those that failed, and other events, do not', () => {
  const of = (words: string): unknown[] =>
    parseAudit([call(3, words), target(3, 10)].join('\n'), 0).signals.map(({ signal, code }) => [
      signal,
      code,
    ]);
  assert.deepEqual(of('syscall=234 success=yes exit=0 a0=a a1=a a2=6 a3=0'), [[6, -6]]);
  assert.deepEqual(of('syscall=424 success=yes exit=0 a0=3 a1=f a2=0 a3=0'), [[15, 0]]);
  assert.deepEqual(of(KILL.replace('yes', 'no')), []);
  assert.deepEqual(of('syscall=44 success=yes exit=0 a0=3 a1=f a2=0 a3=0'), []);
  assert.deepEqual(parseAudit(target(3, 10), 0).signals, []);
});

test('what the kernel itself logs where no auditd runs is understood likewise, and crashes are', () => {
  const kernel = [
    'audit: type=1300 audit(1795947084.525:3): arch=c00000b7 syscall=129 success=yes exit=0 a0=7f9c a1=9 a2=0 a3=0 items=0 ppid=1 pid=7 uid=0 comm="sh" exe="/bin/sh" key="upkeep"',
    'audit: type=1318 audit(1795947084.525:3): opid=32668 oauid=-1 ouid=0 oses=-1 ocomm="sleep"',
    `audit: type=1701 audit(1795947084.969:4): auid=4294967295 uid=0 gid=0 ses=4294967295 pid=32646 comm=${hex('my app')} exe=${hex('/srv/my app')} sig=11 res=1`,
  ].join('\n');
  const { signals, crashes } = parseAudit(kernel, 0);
  assert.deepEqual(
    signals.map(({ sender, target: to, senderCommand }) => [sender, to, senderCommand]),
    [[7, 32_668, '/bin/sh']],
  );
  assert.deepEqual(crashes, [{ at: 1_795_947_084_969, pid: 32_646, signal: 11, program: '/srv/my app' }]);
  assert.deepEqual(parseAudit(kernel, 1_795_947_084_970), { signals: [], crashes: [] });
});

test('only the end of a long log is read, from a whole line on', () => {
  const folder = mkdtempSync(join(tmpdir(), 'upkeep-audit-'));
  const path = join(folder, 'audit.log');
  assert.ok(!isAuditLogReadable(path));
  const event = (pid: number): string => `${call(pid, KILL)}\n${target(pid, pid)}\n`;
  writeFileSync(path, event(1));
  while (readTargets(path).includes(1))
    appendFileSync(path, Array.from({ length: 200 }, (_, n) => event(n + 2)).join(''));
  appendFileSync(path, event(999));
  assert.equal(readTargets(path).at(-1), 999);
  assert.ok(isAuditLogReadable(path));
  rmSync(folder, { recursive: true });
});

function readTargets(path: string): number[] {
  const text = readAuditTail(path);
  assert.ok(typeof text === 'string');
  return parseAudit(text, 0).signals.map((each) => each.target);
}
