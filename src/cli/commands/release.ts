import { connectIfUsed, homeFrom, isUnusedHome } from '../../client/index.js';
import {
  ERRORS,
  type ReleaseSpec,
  type ReleaseTarget,
  type ReleaseView,
  type WaiverSpec,
} from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import { oneOperand, parseCount, usageError } from '../arguments.js';
import { defineCommand, JSON_OPTION, type OptionValues } from '../command.js';
import { CONFIG_OPTIONS, loadConfigFile, noteDiagnostics } from '../config.js';
import { print, printJson } from '../output/print.js';
import { formatGroups, formatRelease, formatWaived } from '../output/release.js';
import { followRelease, reportRelease, untilReleaseEnded } from '../release.js';

const options = {
  commit: { type: 'string', value: 'sha', description: 'the build of this commit' },
  ref: { type: 'string', value: 'name', description: 'the build of this branch or tag' },
  version: { type: 'string', value: 'version', description: 'the build of this version' },
  file: { type: 'string', value: 'path', description: 'this archive or folder on the host' },
  sha256: { type: 'string', value: 'hex', description: 'refuse an archive with another checksum' },
  waive: {
    type: 'string',
    multiple: true,
    value: 'rule=reason',
    description: 'let a rule pass this once; the reason is kept',
  },
  plan: {
    type: 'string',
    value: 'hash',
    description: 'only what this plan has shown; refused where it is another by now',
  },
  force: { type: 'boolean', description: 'also where the same build serves already' },
  config: {
    type: 'string',
    short: 'c',
    value: 'file',
    description: 'the configuration file, or its folder; default: this one',
  },
  ...CONFIG_OPTIONS,
  limit: {
    type: 'string',
    short: 'n',
    value: 'n',
    description: 'list: how many of each group, waivers: how many; default 50',
  },
  wait: {
    type: 'boolean',
    short: 'w',
    description: 'show: until it has ended, exit as its command would have',
  },
  detach: { type: 'boolean', short: 'd', description: 'leave once the daemon has accepted it' },
  json: JSON_OPTION,
} as const;
type Values = OptionValues<typeof options>;

export const command = defineCommand({
  summary:
    'Put another build in place: fetched, checked, started without traffic, verified, and only then switched to',
  usage: [
    'release [group | service]',
    'release plan [group | service]',
    'release list',
    'release waivers [group]',
    'release show | resume | abort | report <id>',
  ].join('\n'),
  examples: [
    'upkeep release --commit 1f6c2ab',
    'upkeep release shop --file build/shop-1.4.2.tgz',
    'upkeep release plan shop --ref v1.4.2',
    'upkeep release shop --waive "downgrade=the new one has lost orders, #512"',
    'upkeep release report 12 > release-12.md',
  ],
  options,
  operands: ['plan', 'list', 'waivers', 'show', 'resume', 'abort', 'report'],
  async run({ values, operands }) {
    const [action, ...rest] = operands;
    switch (action) {
      case 'list':
        return list(values);
      case 'show':
        return show(idOf(rest), values);
      case 'abort':
        return abort(idOf(rest), values);
      case 'resume':
        return resume(idOf(rest), values);
      case 'waivers':
        return waivers(rest[0], values);
      case 'report':
        return report(idOf(rest), values);
      case 'plan':
        return make(rest, values, true);
      default:
        return make(operands, values, false);
    }
  },
});

async function make(operands: readonly string[], values: Values, plan: boolean): Promise<number> {
  if (operands.length > 1) throw usageError('release', `it takes one group, not ${operands.length}`);
  const { spec, group } = await describe(operands[0], values);
  const body = {
    ...(spec ? { spec } : {}),
    group,
    target: targetOf(values),
    waive: (values.waive ?? []).map(parseWaiver),
    plan,
    force: values.force ?? false,
    ...(values.plan === undefined ? {} : { planHash: values.plan }),
  };
  return followRelease((daemon, signal) => daemon.stream('requestRelease', { body, signal }), values);
}

/** What the file says; without one, what the home knows of the group from the release before. */
async function describe(
  operand: string | undefined,
  values: Values,
): Promise<{ spec?: ReleaseSpec; group: string }> {
  const config = await loadConfigFile(
    'release',
    values.config === undefined ? [] : [values.config],
    values,
  ).catch((error: unknown) => {
    if (operand !== undefined && values.config === undefined && isMissing(error)) return undefined;
    throw error;
  });
  if (!config) return { group: operand! };
  noteDiagnostics(config.warnings);
  const spec = choose(config.releases, operand);
  return { spec, group: spec.name };
}

function isMissing(error: unknown): boolean {
  return (error as { code?: string }).code === 'config-not-found';
}

function choose(releases: readonly ReleaseSpec[], operand: string | undefined): ReleaseSpec {
  const names = releases.map(({ name }) => name);
  if (operand === undefined) {
    const [only, ...others] = releases;
    if (!only) throw usageError('release', 'the configuration has no section "releases"');
    if (others.length > 0) throw usageError('release', `say which group: ${names.join(', ')}`);
    return only;
  }
  const found =
    releases.find(({ name }) => name === operand) ??
    releases.find(({ services }) => services.some(({ name }) => name === operand));
  if (found) return found;
  const near = mostSimilar(operand, names);
  throw usageError(
    'release',
    `"${operand}" is not released by this file; ${near ? `did you mean "${near}"?` : `known: ${names.join(', ')}`}`,
  );
}

function targetOf({ commit, ref, version, file, sha256 }: Values): ReleaseTarget {
  return {
    ...(commit === undefined ? {} : { commit }),
    ...(ref === undefined ? {} : { ref }),
    ...(version === undefined ? {} : { version }),
    ...(file === undefined ? {} : { file: absolute(file) }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function absolute(file: string): string {
  return file.startsWith('/') ? file : `${process.cwd()}/${file}`;
}

function parseWaiver(text: string): WaiverSpec {
  const at = text.indexOf('=');
  const [rule, reason] = [text.slice(0, at), text.slice(at + 1).trim()];
  if (at < 1 || reason === '')
    throw usageError('release', `--waive needs a rule and a reason, rule=reason, not "${text}"`);
  return { rule, reason, until: null };
}

async function list({ json, limit }: Values): Promise<void> {
  const groups = await client()
    .call('releases', { query: { limit: parseLimit(limit) } })
    .catch(noneIfUnused);
  if (json) printJson(groups);
  else print(formatGroups(groups));
}

async function waivers(group: string | undefined, { json, limit }: Values): Promise<void> {
  const waived = await client()
    .call('waivedChecks', { query: { group, limit: parseLimit(limit) } })
    .catch(noneIfUnused);
  if (json) printJson(waived);
  else print(formatWaived(waived));
}

function noneIfUnused(error: unknown): never[] {
  if (isUnusedHome(error)) return [];
  throw error;
}

function parseLimit(text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(parseCount('release', '--limit', text));
}

async function show(id: string, values: Values): Promise<number> {
  const view = await client().call('release', { params: { id } });
  return values.wait
    ? reportRelease(await untilReleaseEnded(client(), view), values)
    : showView(view, values);
}

/** It is over only when its instances are gone, or what served before serves again. */
async function abort(id: string, values: Values): Promise<number> {
  const view = await client().call('abortRelease', { params: { id } });
  if (values.detach) return showView(view, values);
  const ended = await untilReleaseEnded(client(), view);
  reportRelease(ended, values);
  // That it was given up is what was asked for.
  return ended.status === 'aborted' || ended.status === 'rolled-back' ? 0 : ERRORS['release-failed'].exit;
}

function showView(view: ReleaseView, { json }: Values): number {
  if (json) printJson(view);
  else print(formatRelease(view));
  return 0;
}

/** One that goes on is followed; of one that failed, what it was asked for is asked for again: what is fetched already is there. */
async function resume(id: string, values: Values): Promise<number> {
  const view = await client().call('release', { params: { id } });
  if (view.finishedAt === null) return reportRelease(await untilReleaseEnded(client(), view), values);
  if (view.status === 'succeeded')
    throw usageError('release', `release ${id} has succeeded: there is nothing to resume`);
  if (view.kind === 'rollback')
    throw usageError('release', `release ${id} was a rollback; go back again: upkeep rollback ${view.group}`);
  const { group, target, waive, force } = view;
  const body = { group, target, waive, force, plan: view.kind === 'plan' };
  return followRelease((daemon, signal) => daemon.stream('requestRelease', { body, signal }), values);
}

async function report(id: string, { json }: Values): Promise<void> {
  const view = await client().call('release', { params: { id } });
  if (json) return printJson(view);
  const { reportMarkdown } = await import('../output/release-report.js');
  print(reportMarkdown(view));
}

function client(): ReturnType<typeof connectIfUsed> {
  return connectIfUsed(homeFrom(process.env));
}

function idOf(operands: readonly string[]): string {
  return oneOperand('release', operands, 'the number of a release, see upkeep release list');
}
