import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UpkeepEvent } from '../../../src/protocol/index.js';
import { defineSickness } from '../support/sickness.js';

export const sickness = defineSickness({
  where: 'the wall clock went back',
  finds: ['clock-jump'],
  async prepare(patient) {
    const path = join(patient.home, 'events.jsonl');
    await patient.rig.cli('daemon', 'stop');
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const last = JSON.parse(lines.pop()!) as UpkeepEvent;
    const early = { ...last, at: new Date(Date.parse(last.at) - 3_600_000).toISOString() };
    writeFileSync(path, `${[...lines, JSON.stringify(early)].join('\n')}\n`);
    await patient.rig.startDaemon();
  },
  verify({ fact, evidence }) {
    assert.match(fact, /^the wall clock went back by (?:1h|59m)/);
    assert.equal((evidence['jumps'] as unknown[]).length, 1);
  },
});
