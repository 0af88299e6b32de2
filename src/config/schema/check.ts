/** What a service may be asked to show that it does its work, as people write it. */
import * as v from 'valibot';
import * as leaf from './leaf.js';
import { record } from './object.js';
import { say, type Saying } from './say.js';

const FLAGS = say('a regular expression with flags is given', 'leave the flags out: /[Ll]istening/');

const expression = v.pipe(
  v.instance(RegExp),
  v.check(({ flags }) => flags === '', FLAGS),
  v.transform(({ source }) => source),
);

/** A regular expression as text; scripts may write it as one, but without flags, which would be lost. */
export const pattern = v.union(
  [leaf.text('listening on'), expression],
  say('{value} is not a regular expression', 'write {key}: listening on'),
);

/** Text that is to stand there, or between slashes, or in a script, a regular expression. */
const match = v.union(
  [
    v.pipe(
      leaf.text('ok'),
      v.transform((text) => {
        const source = /^\/(.+)\/$/s.exec(text)?.[1];
        return source === undefined ? { text } : { pattern: source };
      }),
    ),
    v.pipe(
      expression,
      v.transform((source) => ({ pattern: source })),
    ),
  ],
  say('{value} is neither text nor a regular expression', 'write {key}: ok, or {key}: /^(ok|fine)$/'),
);

const sayStatus: Saying = say(
  '{value} is neither a status nor a range of them',
  'write {key}: 200, or {key}: 200-299, or a list of those',
);

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

const status = leaf.wholeNumber(100, 599, 200);

const statusRange = v.pipe(
  v.string(sayStatus),
  v.rawTransform<string, StatusRange>(({ dataset, addIssue, NEVER }) => {
    const [, from, to] = /^\s*([1-5]\d\d)\s*-\s*([1-5]\d\d)\s*$/.exec(dataset.value) ?? [];
    if (from !== undefined && Number(from) <= Number(to)) return { from: Number(from), to: Number(to) };
    addIssue({ message: sayStatus });
    return NEVER;
  }),
);

const statuses = v.union(
  [status, statusRange, v.array(v.union([status, statusRange], sayStatus))],
  ({ input }) => (typeof input === 'number' ? sayNumber(input) : sayStatus),
);

function sayNumber(input: number): Saying {
  const fact = input < 100 ? '{value} is less than 100' : '{value} is more than 599';
  return Number.isInteger(input) ? say(fact, 'write {key}: 200 (allowed is 100 to 599)') : sayStatus;
}

export const httpCheck = {
  http: v.exactOptional(
    v.pipe(
      leaf.text('/health'),
      v.regex(/^(?:\/|https?:\/\/)/, say('{value} is neither a path nor a URL', 'write {key}: /health')),
    ),
  ),
  status: v.exactOptional(statuses),
  method: v.exactOptional(leaf.oneOf(['GET', 'HEAD'])),
  body: v.exactOptional(match),
  headers: v.exactOptional(record('{x-ready: "yes"}', v.string(), match)),
  maxLatency: v.exactOptional(leaf.duration('500ms', 1)),
};

const sayTcp: Saying = say(
  '{value} is neither a port nor an address with one',
  'write {key}: 5432, or {key}: "127.0.0.1:5432"',
);

export const tcp = v.pipe(
  v.union([v.number(), v.string()], sayTcp),
  v.rawTransform<number | string, { host: string; port: number }>(({ dataset, addIssue, NEVER }) => {
    const [, , bracketed, plain, digits] =
      /^((?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(String(dataset.value)) ?? [];
    const port = Number(digits);
    if (port >= 1 && port <= 65_535) return { host: bracketed ?? plain ?? '127.0.0.1', port };
    addIssue({ message: sayTcp });
    return NEVER;
  }),
);

export const check = {
  port: v.exactOptional(
    v.literal(true, say('{value} is not true', 'write port: true, and the number under ports')),
  ),
  ...httpCheck,
  tcp: v.exactOptional(tcp),
  command: v.exactOptional(leaf.command),
};
