/** Every command, loaded only when it is the one that runs. */
import type { Command } from './command.js';

type Load = () => Promise<{ readonly command: Command }>;

export type CommandName =
  | 'up'
  | 'down'
  | 'diff'
  | 'check'
  | 'start'
  | 'stop'
  | 'restart'
  | 'reload'
  | 'delete'
  | 'scale'
  | 'signal'
  | 'list'
  | 'show'
  | 'why'
  | 'tree'
  | 'logs'
  | 'errors'
  | 'events'
  | 'top'
  | 'report'
  | 'alerts'
  | 'env'
  | 'exec'
  | 'profile'
  | 'release'
  | 'rollback'
  | 'deploy-mark'
  | 'operations'
  | 'operation'
  | 'abort'
  | 'daemon'
  | 'boot'
  | 'doctor'
  | 'completion'
  | 'help'
  | 'version';

export const COMMANDS: Readonly<Record<CommandName, Load>> = {
  up: () => import('./commands/up.js'),
  down: () => import('./commands/down.js'),
  diff: () => import('./commands/diff.js'),
  check: () => import('./commands/check.js'),
  start: () => import('./commands/start.js'),
  stop: () => import('./commands/stop.js'),
  restart: () => import('./commands/restart.js'),
  reload: () => import('./commands/reload.js'),
  delete: () => import('./commands/delete.js'),
  scale: () => import('./commands/scale.js'),
  signal: () => import('./commands/signal.js'),
  list: () => import('./commands/list.js'),
  show: () => import('./commands/show.js'),
  why: () => import('./commands/why.js'),
  tree: () => import('./commands/tree.js'),
  logs: () => import('./commands/logs.js'),
  errors: () => import('./commands/errors.js'),
  events: () => import('./commands/events.js'),
  top: () => import('./commands/top.js'),
  report: () => import('./commands/report.js'),
  alerts: () => import('./commands/alerts.js'),
  env: () => import('./commands/env.js'),
  exec: () => import('./commands/exec.js'),
  profile: () => import('./commands/profile.js'),
  release: () => import('./commands/release.js'),
  rollback: () => import('./commands/rollback.js'),
  'deploy-mark': () => import('./commands/deploy-mark.js'),
  operations: () => import('./commands/operations.js'),
  operation: () => import('./commands/operation.js'),
  abort: () => import('./commands/abort.js'),
  daemon: () => import('./commands/daemon.js'),
  boot: () => import('./commands/boot.js'),
  doctor: () => import('./commands/doctor.js'),
  completion: () => import('./commands/completion.js'),
  help: () => import('./commands/help.js'),
  version: () => import('./commands/version.js'),
};

export const ALIASES: Readonly<Record<string, CommandName>> = {
  ls: 'list',
  ps: 'list',
  status: 'list',
  describe: 'show',
  '--version': 'version',
  '-v': 'version',
  '--help': 'help',
  '-h': 'help',
};

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}
