/** What must hold within one service, beyond the shape of its keys. */
import type { Report } from '../diagnostic.js';
import type { Draft } from '../draft.js';
import type { ParsedService } from '../schema.js';

const LONG_GRACE_MS = 300_000;

export function checkService(draft: Draft, report: Report): void {
  checkProgram(draft, report);
  checkSecrets(draft, report);
  const { service } = draft;
  const delays = typeof service.restart === 'object' ? service.restart : {};
  if (delays.delay !== undefined && delays.maxDelay !== undefined && delays.delay > delays.maxDelay) {
    report({
      path: draft.place(['restart', 'maxDelay']),
      message: `the longest delay (${delays.maxDelay} ms) is shorter than the first one (${delays.delay} ms)`,
      hint: 'make maxDelay the longer one',
    });
  }
  if (isMany(service) && service.watch) {
    report({
      severity: 'warning',
      path: draft.place(['watch']),
      message: `every change restarts all ${service.instances} instances at once`,
      hint: 'write instances: 1 while you watch, for example in a profile',
    });
  }
  if ((service.stop?.grace ?? 0) > LONG_GRACE_MS) {
    report({
      severity: 'warning',
      path: draft.place(['stop', 'grace']),
      message: 'a stop may take longer than 5 minutes',
      hint: 'write grace: 5m or less, unless the service truly needs it',
    });
  }
}

export function isMany({ instances = 1 }: ParsedService): boolean {
  return instances === 'max' || instances > 1;
}

function checkProgram({ service, broken, place }: Draft, report: Report): void {
  const said = (['script', 'command'] as const).filter(
    (key) => service[key] !== undefined || broken.has(key),
  );
  if (said.length === 0) {
    report({
      path: place([]),
      at: 'key',
      message: 'neither script nor command is given',
      hint: 'write script: server.js, or command: [program, argument]',
    });
  }
  if (said.length === 2 && said.some((key) => !broken.has(key))) {
    report({
      path: place(['command']),
      at: 'key',
      message: 'both script and command are given, but only one can run',
      hint: 'keep one of them; arguments of a script stand in args',
    });
  }
  for (const key of ['interpreter', 'interpreterArgs'] as const) {
    if (service[key] === undefined || service.command === undefined || said.length > 1) continue;
    report({
      path: place([key]),
      at: 'key',
      message: `${key} has no meaning for a command`,
      hint: 'write the interpreter into the command, or use script',
    });
  }
}

function checkSecrets({ service, place }: Draft, report: Report): void {
  for (const [key, { file, command }] of Object.entries(service.secrets ?? {})) {
    if ((file === undefined) !== (command === undefined)) continue;
    report({
      path: place(['secrets', key]),
      at: 'key',
      message: file === undefined ? 'neither file nor command is given' : 'both file and command are given',
      hint: `write ${key}: {file: ./${key.toLowerCase()}}, or {command: ...}`,
    });
  }
}
