/** A package of a registry of npm: what it publishes is built, immutable and has its checksum. */
import * as v from 'valibot';
import type { ReleaseCandidate, ReleaseTarget, SourceSpec } from '../../protocol/index.js';
import { mostSimilar } from '../../util/index.js';
import type { StoredArtifact } from '../artifact-store.js';
import type { BuildChoice } from '../job.js';
import { bringFile, type Depot } from './depot.js';
import { below, parseUrl } from './place.js';
import { candidate, found, nothing, type Finding, type Source } from './source.js';
import { readIntegrity, type Checksum } from './web/checksum.js';
import type { Ask } from './web/exchange.js';
import { understood, type Reply, type Web } from './web/web.js';

type NpmSpec = Extract<SourceSpec, { type: 'npm' }>;

const Version = v.object({
  version: v.string(),
  gitHead: v.nullish(v.string()),
  deprecated: v.nullish(v.union([v.string(), v.boolean()])),
  dist: v.object({ tarball: v.string(), integrity: v.nullish(v.string()), shasum: v.nullish(v.string()) }),
});
type Version = v.InferOutput<typeof Version>;
const Packument = v.object({
  'dist-tags': v.optional(v.record(v.string(), v.string()), {}),
  versions: v.record(v.string(), Version),
});
type Packument = v.InferOutput<typeof Packument>;

/** Without readmes; only whole documents know commits. */
const SHORT = 'application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8';
const SHOWN = 5;

export class NpmSource implements Source {
  readonly #web: Web;
  readonly #spec: NpmSpec;
  readonly #depot: Depot;
  readonly #base: URL;
  readonly #token: string | null;

  private constructor(web: Web, spec: NpmSpec, token: string | null, depot: Depot) {
    this.#web = web;
    this.#spec = spec;
    this.#depot = depot;
    this.#token = token;
    this.#base = parseUrl('source.registry', spec.registry, web.scene);
  }

  static async open(web: Web, spec: NpmSpec, depot: Depot): Promise<NpmSource> {
    return new NpmSource(web, spec, await web.scene.secret('the token of the registry', spec.token), depot);
  }

  async find(target: ReleaseTarget): Promise<Finding> {
    const reply = await this.#web.read(
      this.#packument(target.commit === undefined ? SHORT : 'application/json'),
    );
    const place = `${this.#spec.package} on ${this.#base.host}`;
    if (reply.status === 404)
      return nothing(
        `package ${place} does not exist, or is hidden (404)`,
        this.#token === null
          ? 'see that source.package is right, or set source.token'
          : 'see that source.package is right, and what the token may read',
      );
    if (reply.status !== 200) throw this.#refusal(reply);
    const packument = understood(Packument, reply, this.#web.scene);
    const wanted = wantedIn(packument, target);
    const version = wanted === null ? undefined : packument.versions[wanted];
    const candidates = rows(packument, version);
    if (version) return found(await this.#choiceOf(version, target), candidates);
    return nothing(`${place} has ${whatOf(target)}`, hintFor(packument, target), candidates);
  }

  async bring(choice: BuildChoice): Promise<StoredArtifact> {
    const { version = '', tarball = '', integrity } = choice.place;
    if (!URL.canParse(tarball))
      throw this.#web.scene.error(
        'source-failed',
        `${this.#base.host} says no URL for ${choice.from}`,
        'publish that version again',
      );
    const url = new URL(tarball);
    // Whatever a document says, the token stays with the registry.
    const credentials = url.origin === this.#base.origin ? this.#credentials() : {};
    const said = readIntegrity(integrity ?? '', `the registry about version ${version}`);
    const checksums: Checksum[] = said ? [said] : [];
    if (!said)
      this.#web.scene.remark(`${choice.from} has no checksum in its registry: what came was not compared`);
    return bringFile(
      this.#web,
      this.#depot,
      choice,
      { url, credentials },
      { checksums, refuse: (reply) => this.#refusal(reply) },
    );
  }

  async #choiceOf(
    { version, dist, deprecated, gitHead }: Version,
    { commit }: ReleaseTarget,
  ): Promise<BuildChoice> {
    const from = `${this.#spec.package}@${version} on ${this.#base.host}`;
    if (typeof deprecated === 'string' && deprecated !== '')
      this.#web.scene.remark(`${from} is deprecated: ${deprecated}`);
    const shasum = dist.shasum ? `sha1-${Buffer.from(dist.shasum, 'hex').toString('base64')}` : undefined;
    const integrity = dist.integrity ?? shasum;
    return {
      from,
      commit: gitHead ?? commit ?? (await this.#commitOf(version)),
      version,
      identity: integrity === undefined ? null : `npm:${this.#spec.package}@${version} ${integrity}`,
      sha256: null,
      place: { version, tarball: dist.tarball, ...(integrity === undefined ? {} : { integrity }) },
    };
  }

  /** As it was published from, where that is known: not every registry tells a version by itself. */
  async #commitOf(version: string): Promise<string | null> {
    const { status, body } = await this.#web.read({ ...this.#packument('application/json', [version]) });
    const document = v.safeParse(Version, body);
    return status === 200 && document.success ? (document.output.gitHead ?? null) : null;
  }

  #packument(accept: string, more: readonly string[] = []): Ask {
    const url = below(this.#base, [this.#spec.package, ...more]);
    url.pathname = url.pathname.replace(/\/%40(?=[^/]*$|[^/]*\/[^/]*$)/, '/@'); // as npm writes it
    return { url, headers: { accept }, credentials: this.#credentials() };
  }

  #credentials(): Record<string, string> {
    return this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
  }

  #refusal({ status, words = '' }: { status: number } & Partial<Pick<Reply, 'words'>>): Error {
    const said = `(${status}${words && ` ${words}`})`;
    const { host } = this.#base;
    const fail = (fact: string, hint: string): Error =>
      this.#web.scene.error('source-failed', `${fact} ${said}`, hint);
    if (status === 401 || status === 403)
      return this.#token === null
        ? fail(
            `${host} wants a token for ${this.#spec.package}`,
            'set source.token to one that may read the package',
          )
        : fail(
            `${host} does not accept the token for ${this.#spec.package}`,
            'see that it has not expired, and may read the package',
          );
    if (status === 404)
      return fail(
        `the archive of ${this.#spec.package} is not on ${host} any more`,
        'release another version',
      );
    return fail(
      `${host} answered something unexpected`,
      'see that source.registry is that of a registry of npm',
    );
  }
}

/** The version that is asked for, whether or not there is one. */
function wantedIn(
  { versions, 'dist-tags': tags }: Packument,
  { version, ref, commit }: ReleaseTarget,
): string | null {
  if (version !== undefined) return tags[version] ?? version.replace(/^v(?=\d)/, '');
  if (commit !== undefined) {
    const built = Object.values(versions).filter(({ gitHead }) => gitHead?.startsWith(commit));
    return built.at(-1)?.version ?? null;
  }
  if (ref !== undefined) return tags[ref] ?? ref.replace(/^v(?=\d)/, '');
  return tags.latest ?? null;
}

function rows({ versions, 'dist-tags': tags }: Packument, chosen: Version | undefined): ReleaseCandidate[] {
  const shown = new Set([...Object.keys(versions).slice(-SHOWN), ...(chosen ? [chosen.version] : [])]);
  return [...shown].map((name) => {
    const tagged = Object.keys(tags).filter((tag) => tags[tag] === name);
    const isChosen = name === chosen?.version;
    return candidate({
      origin: 'registry',
      name,
      status: tagged.length === 0 ? 'published' : `published as ${tagged.join(', ')}`,
      verdict: isChosen ? 'chosen' : 'is not the version that is asked for',
      isChosen,
    });
  });
}

function whatOf({ version, commit, ref }: ReleaseTarget): string {
  if (version !== undefined) return `no version ${version}`;
  if (commit !== undefined) return `no version that was published from commit ${commit}`;
  return ref === undefined ? 'no tag "latest"' : `neither a tag nor a version "${ref}"`;
}

function hintFor(
  { versions, 'dist-tags': tags }: Packument,
  { version, ref, commit }: ReleaseTarget,
): string {
  if (commit !== undefined)
    return 'publish from a git checkout, so that npm notes the commit, or release by --version';
  const wanted = version ?? ref;
  const near =
    wanted === undefined ? undefined : mostSimilar(wanted, [...Object.keys(versions), ...Object.keys(tags)]);
  return near === undefined
    ? 'publish it, or release one of the versions that are there'
    : `did you mean ${near}? If not, publish it first`;
}
