/** What an installer is told beside what every command is: to ask nobody, and the tokens that its own settings name. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { commandEnvironment, type Environment } from '../command/environment.js';
import { WORKS_IN } from '../command/leftovers.js';
import type { StageJob } from '../job.js';

const SETTINGS = ['.npmrc', '.yarnrc.yml'];
/** `${NPM_TOKEN}`, `${NPM_TOKEN-}`, `${NPM_TOKEN?}`. */
const NAMED = /\$\{(\w+)(?:[:?-][^}]*)?\}/g;

/** @param place where it is installed, and whose settings hold */
export function installEnvironment(job: StageJob, node: string, place: string): Environment {
  const { environment = process.env } = job;
  const named = SETTINGS.flatMap((file) => [join(place, file), join(process.env.HOME ?? homedir(), file)])
    .flatMap((file) => [...readIfAny(file).matchAll(NAMED)])
    .flatMap(([, name]) => (environment[name!] === undefined ? [] : [[name!, environment[name!]!] as const]));
  return {
    ...Object.fromEntries(named),
    ...commandEnvironment(job, { stage: 'install', node }),
    CI: 'true',
    [WORKS_IN]: place,
  };
}

function readIfAny(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // there is none, or it is not ours to read
  }
}
