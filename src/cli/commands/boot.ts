import {
  daemonFacts,
  inspectBoot,
  install,
  OTHER_INITS,
  otherInitFile,
  planInstall,
  remove,
  targetFrom,
  tryUnit,
  type Target,
} from '../../boot/index.js';
import { oneOperand, usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION } from '../command.js';
import { formatBootStatus, wordInstallation, wordRemoval } from '../output/boot.js';
import { note, print, printJson } from '../output/print.js';

const EXIT_NOT_AT_BOOT = 3;
const ACTIONS = ['install', 'remove', 'status', 'test'];

export const command = defineCommand({
  summary: 'Start the daemon at boot, and let systemd keep it up',
  usage: 'boot install | remove | status | test',
  examples: [
    'sudo upkeep boot install',
    'upkeep boot install --dry-run',
    'sudo upkeep boot install --user deploy',
    'upkeep boot test',
  ],
  options: {
    user: {
      type: 'string',
      value: 'name',
      description: 'whose services, by default your own; for root only',
    },
    unit: { type: 'string', value: 'name', description: 'another name for the unit, for a second home' },
    init: {
      type: 'string',
      value: 'system',
      description: `install: print a file for ${OTHER_INITS.join(' or ')}, untested`,
    },
    'dry-run': { type: 'boolean', description: 'install: print the unit and what else would be done' },
    json: JSON_OPTION,
  },
  operands: ACTIONS,
  async run({ values, operands }) {
    const action = oneOperand('boot', operands, '"install", "remove", "status" or "test"');
    if (action === 'install' && values.init !== undefined && values.init !== 'systemd') {
      return printOtherInit(values.init);
    }
    const target = targetFrom(values, process.env);
    switch (action) {
      case 'install':
        return values['dry-run'] ? printPlan(target) : runInstall(target, values.json);
      case 'remove':
        return runRemove(target, values.json);
      case 'status':
        return showStatus(target, values.json);
      case 'test':
        return runTest(target, values.json);
      default:
        throw usageError('boot', `"${action}" is none of ${ACTIONS.join(', ')}`);
    }
  },
});

function printOtherInit(init: string): void {
  const { home, account } = targetFrom({}, process.env);
  const { text, steps } = otherInitFile(init, daemonFacts({ home, account }));
  process.stdout.write(text);
  note(`This file for ${init} is untested. To use it:`);
  for (const step of steps) note(`  ${step}`);
}

function printPlan(target: Target): void {
  const { text, commands, notices } = planInstall(target);
  process.stdout.write(text);
  note(`Nothing was done. It would be written to ${target.path}; then:`);
  for (const line of commands) note(`  ${line}`);
  for (const { message, hint } of notices) note(`warning: ${message}\n  hint: ${hint}`);
}

async function runInstall(target: Target, json = false): Promise<number> {
  const installation = await install(target);
  const status = await inspectBoot(target);
  if (json) printJson({ ...status, daemon: installation.daemon });
  else print(wordInstallation(target, installation));
  for (const { message, hint } of installation.notices) note(`warning: ${message}\n  hint: ${hint}`);
  return status.findings.some(({ severity }) => severity === 'problem') ? EXIT_NOT_AT_BOOT : 0;
}

async function runRemove(target: Target, json = false): Promise<void> {
  const removal = await remove(target);
  if (json) printJson({ unit: target.unit, path: target.path, ...removal });
  else print(wordRemoval(target, removal));
  for (const { message, hint } of removal.notices) note(`note: ${message}\n  hint: ${hint}`);
}

async function showStatus(target: Target, json = false): Promise<number> {
  const status = await inspectBoot(target);
  if (json) printJson(status);
  else print(formatBootStatus(status));
  return status.findings.some(({ severity }) => severity === 'problem') ? EXIT_NOT_AT_BOOT : 0;
}

async function runTest(target: Target, json = false): Promise<void> {
  const { loadCommandLine } = await import('../config.js');
  const probe = await loadCommandLine({ target: 'sleep 1000000', name: 'boot-test', cwd: '/' });
  const steps: string[] = [];
  await tryUnit(target, {
    probe,
    onStep: (what) => {
      steps.push(what);
      if (!json) print(`ok  ${what}`);
    },
  });
  if (json) printJson({ ok: true, steps });
}
