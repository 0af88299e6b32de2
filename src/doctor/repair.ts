/** Carries out what a finding says may be done without asking. */
import { execFile } from 'node:child_process';
import { chmodSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { UpkeepError } from '../protocol/index.js';
import { shimPath } from '../system/index.js';
import { unreachable } from '../util/index.js';
import type { Finding, Repair } from './finding.js';

const run = promisify(execFile);

/** Answers those that were healed; rejects where one cannot be. */
export async function repairAll(findings: readonly Finding[]): Promise<Finding[]> {
  const repairable = findings.filter(({ repair }) => repair !== undefined);
  for (const { id, command, repair } of repairable) {
    await carryOut(repair!).catch((cause: unknown) => {
      throw new UpkeepError('internal', `Cannot fix "${id}": ${(cause as Error).message}`, {
        hint: `by hand: ${command}`,
        cause,
      });
    });
  }
  return repairable;
}

async function carryOut(repair: Repair): Promise<void> {
  switch (repair.kind) {
    case 'chmod':
      return chmodSync(repair.path, repair.mode);
    case 'remove':
      return remove(repair.paths, repair.lock);
    default:
      return unreachable(repair);
  }
}

/** A daemon may start at any moment: under its lock it cannot. */
async function remove(paths: readonly string[], lock: string | null): Promise<void> {
  if (lock !== null) await run(shimPath(), ['lock', lock, '--', '/bin/rm', '-rf', '--', ...paths]);
  else for (const path of paths) rmSync(path, { recursive: true, force: true });
}
