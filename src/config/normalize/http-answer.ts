/** What an answer by HTTP must be. */
import type { CheckSpec, HttpAnswerSpec, TextMatch } from '../../protocol/index.js';
import type { Path } from '../diagnostic.js';
import type { StatusRange } from '../schema.js';
import type { ProgramContext } from './program.js';

type HttpSpec = Extract<CheckSpec, { on: 'http' }>;
type Status = number | StatusRange;

/** Keys that say more about `http`. */
const KEYS = ['status', 'method', 'body', 'headers', 'maxLatency'] as const;

export interface HttpRule {
  readonly status?: Status | Status[];
  readonly method?: 'GET' | 'HEAD';
  readonly body?: TextMatch;
  readonly headers?: Readonly<Record<string, TextMatch>>;
  readonly maxLatency?: number;
}

export function answerRule(
  rule: HttpRule,
  place: Path,
  context: ProgramContext,
): Pick<HttpSpec, 'status' | 'answer'> {
  const { status, method = 'GET', body, headers = {}, maxLatency } = rule;
  refusePatterns(rule, place, context);
  if (body && method === 'HEAD') {
    context.refuse([...place, 'body'], 'an answer to HEAD has no body', 'remove method, or body');
  }
  const common = { status: typeof status === 'number' ? status : null };
  const statuses = typeof status === 'object' ? [status].flat().map(toRange) : null;
  const isPlain = KEYS.every((key) => key === 'status' || rule[key] === undefined) && statuses === null;
  if (isPlain) return common;
  const lower = Object.entries(headers).map(([name, match]) => [name.toLowerCase(), match] as const);
  const answer: HttpAnswerSpec = {
    method,
    statuses,
    body: body ?? null,
    headers: Object.fromEntries(lower),
    latencyMs: maxLatency ?? null,
  };
  return { ...common, answer };
}

function toRange(status: Status): StatusRange {
  return typeof status === 'number' ? { from: status, to: status } : status;
}

export function refuseWithoutHttp(rule: HttpRule, place: Path, { refuse }: ProgramContext): void {
  for (const key of KEYS.filter((each) => rule[each] !== undefined)) {
    const shown = key === 'status' && typeof rule.status === 'number' ? String(rule.status) : '...';
    const hint = `write ${String(place.at(-1))}: {http: /health, ${key}: ${shown}}`;
    refuse([...place, key], `${key === 'status' ? 'a status' : key} is only of use with http`, hint);
  }
}

function refusePatterns({ body, headers = {} }: HttpRule, place: Path, context: ProgramContext): void {
  if (body && 'pattern' in body) refuseBadPattern(body.pattern, [...place, 'body'], context);
  for (const [name, match] of Object.entries(headers))
    if ('pattern' in match) refuseBadPattern(match.pattern, [...place, 'headers', name], context);
}

export function refuseBadPattern(pattern: string, place: Path, { refuse }: ProgramContext): void {
  try {
    new RegExp(pattern);
  } catch (error) {
    const reason = String((error as Error).message).replace(/^.*: /, '');
    refuse(
      place,
      `"${pattern}" is not a regular expression: ${reason}`,
      'escape special characters with a backslash',
    );
  }
}
