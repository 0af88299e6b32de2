/**
 * The child that loads code of a release with the Node.js of its services: native modules, the module that is its contract, and
 * the driver of its database.
 * What these print, how they end and what they hang on stays here. Reads one task from stdin and answers on descriptor 3.
 */
import { readFileSync, writeSync } from 'node:fs';
import { judgeByModule } from './contract-module.js';
import { askDatabase } from './sql.js';
import type { ProbeLine, ProbeTask } from './task.js';

const ANSWERS = 3;

void perform(JSON.parse(readFileSync(0, 'utf8')) as ProbeTask);

async function perform(task: ProbeTask): Promise<void> {
  switch (task.task) {
    case 'version':
      say(versionLine());
      break;
    case 'load':
      for (const file of task.files) load(file);
      break;
    case 'contract':
      Object.assign(process.env, task.env);
      say(await judgeByModule(task));
      break;
    case 'sql':
      Object.assign(process.env, task.env);
      say(await askDatabase(task));
  }
  // Whatever was loaded may hold the process with timers and sockets; what was to be said is said.
  process.kill(process.pid, 'SIGKILL');
}

function versionLine(): ProbeLine {
  const { node, modules } = process.versions;
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const libc = report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return { version: node, modules, platform: `${process.platform}-${process.arch}`, libc };
}

function load(file: string): void {
  say({ loading: file });
  try {
    process.dlopen({ exports: {} }, file);
    say({ loaded: file, error: null });
  } catch (error) {
    say({ loaded: file, error: String((error as Error).message) });
  }
}

function say(line: ProbeLine): void {
  writeSync(ANSWERS, `${JSON.stringify(line)}\n`);
}
