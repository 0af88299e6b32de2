import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import type { ErrorsView } from '../../protocol/index.js';
import { parseDuration } from '../../util/index.js';
import { oneOperand, parseCount, usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION, type OptionValues } from '../command.js';
import { setDeployMark } from '../deploy-mark.js';
import { formatErrorDetail, formatErrors, wordMuted } from '../output/error-kind.js';
import { print, printJson } from '../output/print.js';

const DEFAULT_LIMIT = 50;

const options = {
  new: { type: 'boolean', description: 'only kinds that were first seen since the last mark, or --since' },
  since: {
    type: 'string',
    value: 'when',
    description: '1h, a time or "mark": only what was seen since then',
  },
  muted: { type: 'boolean', description: 'also those that are muted' },
  limit: { type: 'string', short: 'n', value: 'n', description: `how many, default ${DEFAULT_LIMIT}` },
  service: { type: 'string', short: 's', value: 'name', description: 'show, mute, unmute: only of this one' },
  reason: { type: 'string', value: 'text', description: 'mute: why it is not worth a word' },
  for: {
    type: 'string',
    value: 'time',
    description: 'mute: for how long, 7d for example; default: for good',
  },
  text: { type: 'string', value: 'text', description: 'mark: what happened' },
  json: JSON_OPTION,
} as const;
type Values = OptionValues<typeof options>;

export const command = defineCommand({
  summary: 'Show the errors that services wrote by kind: how often, since when, and which are new',
  usage: 'errors [service...] | show <id> | mute <id> | unmute <id> | mark [service...]',
  examples: [
    'upkeep errors --new',
    'upkeep errors api --since 1h',
    'upkeep errors show 3f2a9c1',
    'upkeep errors mute 3f2a9c1 --reason "known, #412" --for 7d',
    'upkeep errors mark api --text "feature flag on"',
  ],
  options,
  operands: 'services',
  async run({ values, operands }) {
    const [action, ...rest] = operands;
    switch (action) {
      case 'show':
        return show(values, rest);
      case 'mute':
        return mute(values, rest);
      case 'unmute':
        return unmute(values, rest);
      case 'mark':
        return setDeployMark({ services: rest, text: values.text ?? '' }, values.json);
      default:
        return list(values, operands);
    }
  },
});

async function list(values: Values, services: readonly string[]): Promise<void> {
  const limit = values.limit === undefined ? DEFAULT_LIMIT : parseCount('errors', '--limit', values.limit);
  const query = {
    service: services,
    new: values.new ? '1' : undefined,
    since: parseSince(values.since),
    muted: values.muted ? '1' : undefined,
  };
  const answer = await client()
    .call('errors', { query })
    .catch((error: unknown): ErrorsView => {
      if (services.length === 0 && isUnusedHome(error)) return { kinds: [], services: [] };
      throw error;
    });
  const kinds = answer.kinds.slice(0, limit);
  if (values.json) return printJson({ ...answer, kinds });
  print(formatErrors({ ...answer, kinds }, { omitted: answer.kinds.length - kinds.length, ...values }));
}

async function show({ service, json }: Values, operands: readonly string[]): Promise<void> {
  const details = await client().call('errorKind', { params: { id: idOf(operands) }, query: { service } });
  if (json) printJson(details);
  else print(details.map((detail) => formatErrorDetail(detail, Date.now())).join('\n\n'));
}

async function mute(values: Values, operands: readonly string[]): Promise<void> {
  const { service, reason, json } = values;
  if (!reason) throw usageError('errors', '"mute" needs "--reason": whoever meets it later wants to know');
  const forMs = values.for === undefined ? null : parseDuration(values.for);
  if (forMs === undefined || forMs === 0)
    throw usageError('errors', `--for needs a time such as 7d, not "${values.for}"`);
  const body = { service: service ?? null, reason, forMs };
  const muted = await client().call('muteError', { params: { id: idOf(operands) }, body });
  if (json) printJson(muted);
  else print(wordMuted(muted));
}

async function unmute({ service, json }: Values, operands: readonly string[]): Promise<void> {
  const kinds = await client().call('unmuteError', {
    params: { id: idOf(operands) },
    body: { service: service ?? null },
  });
  if (json) printJson(kinds);
  else print(wordMuted(kinds));
}

function client(): ReturnType<typeof connectIfUsed> {
  return connectIfUsed(homeFrom(process.env));
}

function idOf(operands: readonly string[]): string {
  return oneOperand('errors', operands, 'the id of a kind, see upkeep errors');
}

function parseSince(text: string | undefined): string | undefined {
  if (text === undefined || text === 'mark') return text;
  const ago = parseDuration(text);
  const at = ago === undefined ? Date.parse(text) : Date.now() - ago;
  if (Number.isNaN(at)) throw usageError('errors', `--since needs 1h, a time or "mark", not "${text}"`);
  return new Date(at).toISOString();
}
