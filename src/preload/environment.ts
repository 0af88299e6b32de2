/** What upkeep tells this process, taken out of its environment before the application looks. */
import type { PreloadSetup } from '../protocol/index.js';
import { fs, major } from './node.js';

export interface Setup extends PreloadSetup {
  readonly channel: ChannelSpec | null;
}

/** Descriptors: a pipe for words to upkeep, a folder for sockets that upkeep connects to. */
export interface ChannelSpec {
  readonly up: number;
  readonly folder: number;
}

/** A thread cannot chdir(), and says so; asking `worker_threads` would load it. */
export const isWorkerThread = (process.chdir as { disabled?: boolean }).disabled === true;

export function takeEnvironment(): Setup | null {
  return isWorkerThread ? parse(environmentOfProcess()) : takeOver(process.env);
}

function takeOver(environment: NodeJS.ProcessEnv): Setup | null {
  const setup = parse(environment);
  delete environment['UPKEEP_PRELOAD'];
  delete environment['UPKEEP_CHANNEL'];
  if (!setup) return null;
  if (setup.options === null) delete environment['NODE_OPTIONS'];
  else environment['NODE_OPTIONS'] = setup.options;
  forgetArgument(setup.path);
  forgetModule(setup.path);
  return setup;
}

function parse({ UPKEEP_PRELOAD, UPKEEP_CHANNEL }: NodeJS.ProcessEnv): Setup | null {
  if (!UPKEEP_PRELOAD) return null;
  const { path, sockets, hold, messages, blocking, options } = JSON.parse(UPKEEP_PRELOAD) as Partial<Setup>;
  return {
    path: path || '',
    sockets: sockets || [],
    hold: hold === true,
    messages: messages === true,
    blocking: blocking === true,
    options: typeof options === 'string' ? options : null,
    channel: parseChannel(UPKEEP_CHANNEL || ''),
  };
}

function parseChannel(text: string): ChannelSpec | null {
  const match = /^(\d+):(\d+)$/.exec(text);
  return match && { up: Number(match[1]), folder: Number(match[2]) };
}

/** A thread gets a copy of what the main thread has cleaned; the kernel still knows what was given to exec(). */
function environmentOfProcess(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {};
  for (const pair of fs.readFileSync('/proc/self/environ', 'utf8').split('\0')) {
    const split = pair.indexOf('=');
    if (pair.startsWith('UPKEEP_')) environment[pair.slice(0, split)] = pair.slice(split + 1);
  }
  return environment;
}

/** `-r <path>`, where NODE_OPTIONS is not known yet (Node 7). */
function forgetArgument(path: string): void {
  const index = process.execArgv.indexOf(path);
  const option = process.execArgv[index - 1];
  if (option === '-r' || option === '--require') process.execArgv.splice(index - 1, 2);
}

/** Node goes through the list itself at this moment, so it gets another one. Before 12 there is none where it is empty. */
function forgetModule(path: string): void {
  const name = '_preload_modules';
  const descriptor = Object.getOwnPropertyDescriptor(process, name);
  const modules = descriptor?.value as string[] | undefined;
  if (!descriptor || !Array.isArray(modules)) return;
  const others = modules.filter((module) => module !== path);
  if (others.length === 0 && major < 12) Reflect.deleteProperty(process, name);
  else Object.defineProperty(process, name, Object.assign({}, descriptor, { value: others }));
}
