/** Names of users and groups to numbers, from /etc/passwd and /etc/group. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly name: string;
  readonly homeFolder: string;
}

/** undefined: there is no such user or group. Numbers are taken as they are. */
export function findCredentials(user: string, group: string | null): Credentials | undefined {
  const row = rows('/etc/passwd').find(([name, , uid]) => name === user || uid === user);
  if (!row) return undefined;
  const [name, , uid, primary, , homeFolder] = row as [string, string, string, string, string, string];
  const groups = rows('/etc/group');
  const wanted =
    group === null ? undefined : groups.find(([groupName, , gid]) => groupName === group || gid === group);
  if (group !== null && !wanted) return undefined;
  const gid = Number(wanted?.[2] ?? primary);
  const supplementary = groups
    .filter((entry) => entry[3]?.split(',').includes(name))
    .map((entry) => Number(entry[2]));
  return { uid: Number(uid), gid, groups: [...new Set([gid, ...supplementary])], name, homeFolder };
}

/** Whether the user may read the file, as far as permission bits tell. */
export function canRead(path: string, { uid, gid, groups }: Credentials): boolean {
  const may = (file: string, right: 4 | 1): boolean => {
    const stats = statSync(file);
    const shift = stats.uid === uid ? 6 : stats.gid === gid || groups.includes(stats.gid) ? 3 : 0;
    return uid === 0 || ((stats.mode >> shift) & right) !== 0;
  };
  try {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      if (!may(folder, 1)) return false;
      if (folder === dirname(folder)) return may(path, 4);
    }
  } catch {
    return false; // it does not exist
  }
}

function rows(path: string): string[][] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
}
