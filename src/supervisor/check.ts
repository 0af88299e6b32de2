/** Asks once whether an instance does its work: the mechanism behind ready rules and health checks. */
import type { CheckSpec } from '../protocol/index.js';
import { unreachable } from '../util/index.js';
import { checkCommand } from './check/command.js';
import { checkHttp } from './check/http.js';
import { checkPorts } from './check/ports.js';
import type { CheckResult, CheckTarget } from './check/target.js';
import { checkTcp } from './check/tcp.js';

export type { CheckResult, CheckTarget, OutputFollow } from './check/target.js';

/** Resolves within `timeoutMs`, whatever is asked does; never rejects. */
export async function runCheck(
  check: CheckSpec,
  target: CheckTarget,
  timeoutMs: number,
): Promise<CheckResult> {
  try {
    return await ask(check, target, timeoutMs);
  } catch (error) {
    // as where the system has no memory or no descriptor for it: whoever asks wants to ask again
    return { isSuccess: false, detail: `${check.on}: it cannot be asked: ${(error as Error).message}` };
  }
}

function ask(check: CheckSpec, target: CheckTarget, timeoutMs: number): CheckResult | Promise<CheckResult> {
  switch (check.on) {
    case 'port':
      return check.connect ? checkTcp(check.connect, target, timeoutMs) : checkPorts(target);
    case 'http':
      return checkHttp(check, target, timeoutMs);
    case 'command':
      return checkCommand(check.argv, target, timeoutMs);
    default:
      return unreachable(check);
  }
}
