/** systemd of a user runs from the first login to the last logout; one that lingers runs from boot to shutdown. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { runTool } from '../client/index.js';
import { UpkeepError } from '../protocol/index.js';
import type { Credentials } from '../system/index.js';

const DEADLINE_MS = 10_000;
const PAUSE_MS = 50;

export function isLingering({ name }: Credentials): boolean {
  return existsSync(`/var/lib/systemd/linger/${name}`);
}

/** Answers why it could not; undefined: it lingers. */
export async function enableLinger({ name }: Credentials): Promise<string | undefined> {
  const { code, said } = await runTool('loginctl', ['--no-ask-password', 'enable-linger', name]);
  return code === 0 ? undefined : said;
}

export async function disableLinger({ name }: Credentials): Promise<string | undefined> {
  const { code, said } = await runTool('loginctl', ['--no-ask-password', 'disable-linger', name]);
  return code === 0 ? undefined : said;
}

/** It was told to begin, or began with the login. */
export async function untilUserManager(account: Credentials): Promise<void> {
  const bus = `/run/user/${account.uid}/systemd/private`;
  for (const end = performance.now() + DEADLINE_MS; !existsSync(bus); await delay(PAUSE_MS)) {
    // Nobody will begin it.
    if (!isLingering(account) || performance.now() > end) throw noUserManager(account);
  }
}

export function lingerCommand({ name }: Credentials): string {
  return `sudo loginctl enable-linger ${name}`;
}

function noUserManager(account: Credentials): UpkeepError {
  return new UpkeepError(
    'boot-failed',
    `Cannot reach systemd of "${account.name}": it does not run, for nobody has logged in as this user`,
    { hint: lingerCommand(account) },
  );
}
