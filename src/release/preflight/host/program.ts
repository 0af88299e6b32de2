/** Whether the script and the program of a service are there, and the user who will run them may. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  canRead,
  findCredentials,
  locate,
  whyUnreadable,
  whyUnrunnable,
  type Unrunnable,
} from '../../../system/index.js';
import { currentIn } from '../../folder/index.js';
import type { Facts, ServiceFacts } from '../facts/facts.js';
import type { Finding } from '../finding.js';
import { within } from '../words.js';

export function judgeProgram(service: ServiceFacts, facts: Facts): Finding[] {
  const { spec, environment } = service;
  const { folder, host } = facts;
  const no = (rule: string, { fact, hint }: Unrunnable): Finding => ({
    area: 'host',
    rule,
    subject: spec.name,
    verdict: 'failed',
    text: `${spec.name} cannot run on host "${host}": ${fact.replaceAll(`${folder}/`, '')}`,
    ...(hint === undefined ? {} : { hint: hint.replaceAll(folder, 'the release') }),
  });
  const user = whyNoUser(service);
  if (user) return [no('user', user)];
  const unrunnable = whyUnrunnable(spec.argv[0]!, spec.cwd, environment.get('PATH')?.value);
  if (unrunnable) return [no('program', unrunnable)];
  const unreadable = spec.script === null ? undefined : whyUnreadable(spec.script);
  if (unreadable) return [no('program', { ...unreadable, hint: inBuild(spec.script!, facts) })];
  const barred = whyBarred(service, facts);
  if (barred.length > 0) return barred.map((each) => no('user', each));
  const outside = tellOutside(service, facts);
  const what = spec.script === null ? spec.argv[0]! : within(folder, spec.script);
  const who = spec.user === null ? 'this user' : `user ${spec.user}`;
  const text = `${what} of ${spec.name} is there, and ${who} may run it`;
  return [{ area: 'host', rule: 'program', subject: spec.name, verdict: 'passed', text }, ...outside];
}

function inBuild(script: string, { folder }: Facts): string {
  const isIn = script.startsWith(`${folder}/`);
  return isIn
    ? 'see that the build makes it, and that root and script fit together'
    : 'correct the path of the script';
}

function whyNoUser({ spec }: ServiceFacts): Unrunnable | undefined {
  if (spec.user === null) return undefined;
  const found = findCredentials(spec.user, spec.group);
  if (!found) {
    const group = spec.group === null ? '' : ` with group ${spec.group}`;
    return {
      fact: `there is no user ${spec.user}${group}`,
      hint: 'create it (useradd), or correct the name',
    };
  }
  const own = process.getuid?.();
  if (own === 0 || own === found.uid) return undefined;
  return {
    fact: `only root can start it as user ${spec.user}`,
    hint: 'run the daemon as root, or leave user out',
  };
}

/** By permission bits, for another user than this one. */
function whyBarred({ spec, user }: ServiceFacts, { folder, job }: Facts): Unrunnable[] {
  if (!user || user.uid === process.getuid?.()) return [];
  const barred: Unrunnable[] = [];
  const paths = [spec.script, locate(spec.argv[0]!, spec.cwd, undefined)].filter(
    (path): path is string => typeof path === 'string',
  );
  for (const path of paths) {
    if (existsSync(path) && !canRead(path, user))
      barred.push({
        fact: `user ${user.name} cannot read ${path}`,
        hint: `let that user into the folders above it: namei -l ${dirname(path)}`,
      });
  }
  for (const name of job.spec.linked.folders) {
    const path = join(folder, name);
    if (existsSync(path) && !canWrite(path, user.uid, [user.gid, ...user.groups]))
      barred.push({
        fact: `user ${user.name} cannot write to the linked folder ${name}`,
        hint: `chown ${user.name} ${job.spec.folder}/shared/${name}`,
      });
  }
  return barred;
}

function canWrite(path: string, uid: number, groups: readonly number[]): boolean {
  if (uid === 0) return true;
  const stats = statSync(path);
  const shift = stats.uid === uid ? 6 : groups.includes(stats.gid) ? 3 : 0;
  return ((stats.mode >> shift) & 2) !== 0;
}

/** What is run does not change with the release: perhaps a path without `current`. */
function tellOutside({ spec }: ServiceFacts, { folder, job }: Facts): Finding[] {
  const program = spec.script ?? spec.argv[0]!;
  const isWithin = [program, spec.cwd].some((path) => path === folder || path.startsWith(`${folder}/`));
  if (isWithin || spec.argv.some((word) => word.includes(folder))) return [];
  const text = `nothing of ${spec.name} lies in the release: a new one changes nothing for it`;
  const hint = `write paths that begin with ${currentIn(job.spec.folder)}`;
  return [{ area: 'host', rule: 'program', subject: spec.name, verdict: 'warned', text, hint }];
}
