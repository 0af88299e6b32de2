/**
 * Makes the namespaces that this process was started in (see namespaces.ts) a machine of its own: nobody else's
 * processes, ports, users, units and memory are seen, and nothing that is done here is seen outside.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A second user of the machine. */
export const SECOND_USER = { uid: 1001, gid: 1001 } as const;
const DISK = { bytes: '96m', inodes: 3000 } as const;

export interface Place {
  readonly folder: string;
  /** The home folder of root, without an upkeep in it. */
  readonly root: string;
  /** That of the second user. */
  readonly second: string;
  /** A small file system of its own. */
  readonly disk: string;
}

export function isolate(folder: string): Place {
  mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', folder);
  const place = {
    folder,
    root: join(folder, 'root'),
    second: join(folder, 'second'),
    disk: join(folder, 'disk'),
  };
  for (const path of Object.values(place)) mkdirSync(path, { recursive: true });
  execFileSync('chown', [String(SECOND_USER.uid), place.second]);
  mount('-t', 'tmpfs', '-o', `mode=755,size=${DISK.bytes},nr_inodes=${DISK.inodes}`, 'tmpfs', place.disk);
  replaceEtc(place);
  pretendOomKills(folder, 0);
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  return place;
}

/** Only here: the file in /proc is covered by another one. */
export function pretendOomKills(folder: string, count: number): void {
  const fake = join(folder, `vmstat-${count}`);
  writeFileSync(fake, readFileSync('/proc/vmstat', 'utf8').replace(/^oom_kill \d+$/m, `oom_kill ${count}`));
  mount('--bind', fake, '/proc/vmstat');
}

function replaceEtc({ folder, root, second }: Place): void {
  const etc = join(folder, 'etc');
  cpSync('/etc', etc, { recursive: true, verbatimSymlinks: true });
  writeFileSync(
    join(etc, 'passwd'),
    `root:x:0:0:root:${root}:/bin/sh\nsecond:x:${SECOND_USER.uid}:${SECOND_USER.gid}:second:${second}:/bin/sh\n`,
  );
  const units = join(etc, 'systemd/system');
  if (existsSync(units)) rmSync(units, { recursive: true });
  mkdirSync(units, { recursive: true });
  mount('--bind', etc, '/etc');
}

function mount(...args: readonly string[]): void {
  execFileSync('mount', args);
}
