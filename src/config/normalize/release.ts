/** From a group of services to the frozen description of its releases: defaults filled in, paths and programs resolved. */
import type {
  ContractSpec,
  PolicySpec,
  ReleaseSpec,
  RequirementSpec,
  SourceSpec,
} from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { Path } from '../diagnostic.js';
import type { ReleaseDraft } from '../draft/release.js';
import type { ParsedRelease } from '../schema.js';
import { sourceSpec } from './build-source.js';
import { needsShell, splitWords } from './command.js';
import { DEFAULT_RULES, INSTALL_TIMEOUT_MS, KEEP, REQUIREMENT_TIMEOUT_MS } from './defaults.js';
import { commandInRelease, commandOfHost, hookSpec, hookSpecs } from './hook.js';
import { trafficSpec, verifySpec, type GroupContext } from './verify.js';

/** Reports what cannot be resolved; the specification is of use only if nothing was. */
export async function releaseSpec(draft: ReleaseDraft, context: GroupContext): Promise<ReleaseSpec> {
  const { name, release, folder } = draft;
  return {
    name,
    services: [...context.services],
    folder,
    source: await sourceOf(draft, context),
    root: release.root ?? null,
    signature: await signatureSpec(release.signature, context),
    install: await installSpec(release.install ?? 'auto', context),
    build: await buildSpec(release.build, context),
    linked: { files: release.linked?.files ?? [], folders: release.linked?.folders ?? [] },
    contract: contractSpec(release.contract),
    policy: policySpec(release.policy),
    node: release.node ?? null,
    requires: await requirementSpecs(release.requires ?? [], context),
    hooks: await hooksSpec(draft, context),
    verify: await verifySpec(release.verify ?? {}, context),
    traffic: await trafficSpec(release.traffic, context),
    keep: release.keep ?? KEEP,
  };
}

const NO_SOURCE: SourceSpec = { type: 'file', path: null };

async function sourceOf({ release, broken }: ReleaseDraft, context: GroupContext): Promise<SourceSpec> {
  if (release.source) return sourceSpec(release.source, context);
  if (!broken.has('source')) {
    const hint = 'write source: {type: gitlab, project: web/shop, job: build}, or {type: file}';
    context.refuse([], 'nothing says where builds come from', hint);
  }
  return NO_SOURCE;
}

async function signatureSpec(
  signature: ParsedRelease['signature'],
  context: GroupContext,
): Promise<ReleaseSpec['signature']> {
  if (signature === undefined) return null;
  // The braces of `{file}` are ours, and no reason for a shell.
  const isPlain = typeof signature === 'string' && !needsShell(signature.replaceAll('{file}', ''));
  const words = isPlain ? splitWords(signature) : signature;
  return { argv: await commandOfHost(words, ['signature'], context), cwd: context.folder };
}

const INSTALLERS = ['auto', 'npm', 'pnpm', 'yarn', 'none'] as const;
type Installer = (typeof INSTALLERS)[number];

async function installSpec(
  install: NonNullable<ParsedRelease['install']>,
  context: GroupContext,
): Promise<ReleaseSpec['install']> {
  const isPlain = typeof install === 'string' || Array.isArray(install);
  const said: { by?: Installer; run?: string | string[]; timeout?: number } = isPlain
    ? asInstaller(install, context)
    : install;
  const timeoutMs = said.timeout ?? INSTALL_TIMEOUT_MS;
  if (said.by !== undefined && said.run !== undefined)
    context.refuse(['install'], 'by and run exclude each other', 'keep one of them');
  const { by = 'auto', run } = said;
  if (run === undefined) return { by, timeoutMs };
  const part: Path = isPlain ? ['install'] : ['install', 'run'];
  return { by: 'command', argv: await commandInRelease(run, part, context), timeoutMs };
}

/** A word is one of those that are known, or a command, which a typing mistake should not become. */
function asInstaller(install: string | string[], { refuse }: GroupContext) {
  const by = INSTALLERS.find((word) => word === install);
  if (by) return { by };
  const near = typeof install === 'string' && /^\w+$/.test(install) && mostSimilar(install, INSTALLERS);
  if (!near) return { run: install };
  refuse(
    ['install'],
    `"${install}" is not a known word`,
    `did you mean "${near}"? (known: ${INSTALLERS.join(', ')})`,
  );
  return { by: near as Installer };
}

async function buildSpec(
  build: ParsedRelease['build'],
  context: GroupContext,
): Promise<ReleaseSpec['build']> {
  return build === undefined ? null : hookSpec(build, ['build'], context, { timeoutMs: INSTALL_TIMEOUT_MS });
}

function contractSpec(contract: ParsedRelease['contract']): ContractSpec | null {
  if (!contract) return null;
  const { schema = null, module = null, files = [], unknown = 'warn' } = contract;
  const isSaidElsewhere = schema !== null || module !== null;
  return { env: contract.env ?? (isSaidElsewhere ? [] : ['.env.example']), schema, module, files, unknown };
}

function policySpec(policy: ParsedRelease['policy']): PolicySpec | null {
  if (!policy) return null;
  const { target = 'production', rules = {}, testHosts = [], waivers = [] } = policy;
  return { target, rules: { ...DEFAULT_RULES, ...rules }, testHosts, waivers };
}

type ParsedRequirement = NonNullable<ParsedRelease['requires']>[number];

async function requirementSpecs(
  requires: readonly ParsedRequirement[],
  context: GroupContext,
): Promise<RequirementSpec[]> {
  const specs = await Promise.all(
    requires.map((each, index) => requirementSpec(each, ['requires', index], context)),
  );
  return specs.filter((spec) => spec !== undefined);
}

async function requirementSpec(
  requirement: ParsedRequirement,
  part: Path,
  context: GroupContext,
): Promise<RequirementSpec | undefined> {
  const { tcp, http, sql, command, timeout: timeoutMs = REQUIREMENT_TIMEOUT_MS } = requirement;
  const kinds = (['tcp', 'http', 'sql', 'command'] as const).filter(
    (kind) => requirement[kind] !== undefined,
  );
  if (kinds.length !== 1) {
    const fact =
      kinds.length === 0 ? 'says nothing that must answer' : `${kinds.join(' and ')} exclude each other`;
    context.refuse(
      part,
      fact,
      'write one of {tcp: 5432}, {http: https://...}, {sql: DATABASE_URL} and {command: ...}',
    );
    return undefined;
  }
  if (tcp) return { on: 'tcp', ...tcp, timeoutMs };
  if (http !== undefined) {
    if (!URL.canParse(http))
      context.refuse([...part, 'http'], 'this is not a URL', 'write https://example.com/health');
    return { on: 'http', url: http, timeoutMs };
  }
  if (sql !== undefined) return { on: 'sql', key: sql, timeoutMs };
  const argv = await commandInRelease(command!, [...part, 'command'], context);
  return { on: 'command', argv, timeoutMs };
}

async function hooksSpec(draft: ReleaseDraft, context: GroupContext): Promise<ReleaseSpec['hooks']> {
  const { hooks = {} } = draft.release;
  const of = (point: keyof ReleaseSpec['hooks']) =>
    hookSpecs(hooks[point], ['hooks', point], draft.isList(['hooks', point]), context);
  return {
    afterStage: await of('afterStage'),
    afterInstall: await of('afterInstall'),
    beforeSwitch: await of('beforeSwitch'),
    afterSwitch: await of('afterSwitch'),
    afterRelease: await of('afterRelease'),
    onFailure: await of('onFailure'),
  };
}
