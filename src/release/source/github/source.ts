/** Builds of GitHub: the file of a release, by its tag, or the artifact of a workflow run of the commit. */
import type { ReleaseCandidate, ReleaseTarget } from '../../../protocol/index.js';
import { mostSimilar } from '../../../util/index.js';
import type { StoredArtifact } from '../../artifact-store.js';
import type { BuildChoice } from '../../job.js';
import { mapAtOnce } from '../at-once.js';
import { bringFile, type Depot } from '../depot.js';
import { candidate, found, nothing, type Finding, type Source } from '../source.js';
import { readDigest } from '../web/checksum.js';
import type { Web } from '../web/web.js';
import { archiveOf, fillPlaces, plural, shortCommit, tagsOf } from '../words.js';
import { GithubApi, type GithubSpec, type Release } from './api.js';
import { judge, order, remedy, type Looks, type RunArtifacts } from './judge.js';

const AT_ONCE = 4;

export class GithubSource implements Source {
  readonly #web: Web;
  readonly #spec: GithubSpec;
  readonly #api: GithubApi;
  readonly #depot: Depot;

  private constructor(web: Web, spec: GithubSpec, token: string | null, depot: Depot) {
    this.#web = web;
    this.#spec = spec;
    this.#api = new GithubApi(web, spec, token);
    this.#depot = depot;
  }

  static async open(web: Web, spec: GithubSpec, depot: Depot): Promise<GithubSource> {
    return new GithubSource(web, spec, await web.scene.secret('the token of GitHub', spec.token), depot);
  }

  async find(target: ReleaseTarget): Promise<Finding> {
    const { asset, artifact } = this.#spec;
    const isByTag = target.version !== undefined || target.ref !== undefined || artifact === null;
    const asked: ReleaseCandidate[] = [];
    if (asset !== null && target.commit === undefined && isByTag) {
      const finding = await this.#findAsset(asset, target, asked);
      if (finding.choice || artifact === null) return finding;
    }
    if (artifact !== null) return this.#findArtifact(artifact, target, asked);
    return nothing(
      'only files of releases are configured, which have a tag',
      'release by --version or --ref, or set source.artifact',
    );
  }

  async bring(choice: BuildChoice): Promise<StoredArtifact> {
    const { asset, artifact, digest } = choice.place;
    const ask = asset === undefined ? this.#api.artifactZip(artifact!) : this.#api.asset(asset);
    const said = readDigest(digest, this.#api.host);
    return bringFile(this.#web, this.#depot, choice, ask, {
      checksums: said ? [said] : [],
      refuse: ({ status }) => this.#refuse(status, choice),
    });
  }

  async #findAsset(name: string, target: ReleaseTarget, asked: ReleaseCandidate[]): Promise<Finding> {
    const wanted = target.version ?? target.ref;
    const tags =
      wanted === undefined ? [undefined] : target.version === undefined ? [wanted] : tagsOf(wanted);
    const place = `${this.#spec.repository} on ${this.#api.host}`;
    for (const tag of tags) {
      const release = await this.#api.release(tag);
      if (!release) {
        asked.push(
          candidate({ origin: 'release', name: tag ?? 'latest', verdict: 'there is no such release' }),
        );
        continue;
      }
      return this.#inRelease(release, name, target, asked);
    }
    const which = tags.filter((tag) => tag !== undefined).join(' or ');
    return nothing(
      which === '' ? `${place} has no release` : `${place} has no release for the tag ${which}`,
      'publish a release with the build as its file; a draft is none',
      asked,
    );
  }

  async #inRelease(
    release: Release,
    name: string,
    target: ReleaseTarget,
    asked: ReleaseCandidate[],
  ): Promise<Finding> {
    const tag = release.tag_name;
    const version = tag.replace(/^v(?=\d)/, '');
    const file = fillPlaces(name, { version, ref: tag, commit: target.commit });
    const wanted = 'filled' in file ? file.filled : name;
    const asset = release.assets.find(
      (each) => each.name === wanted && (each.state ?? 'uploaded') === 'uploaded',
    );
    for (const each of release.assets)
      asked.push(
        candidate({
          origin: 'release',
          pipeline: tag,
          name: each.name,
          status: each.state ?? '-',
          archive: archiveOf(each.name, each.size),
          url: release.html_url ?? null,
          verdict:
            each === asset
              ? 'chosen'
              : each.name === wanted
                ? 'is not uploaded as a whole'
                : 'has another name',
          isChosen: each === asset,
        }),
      );
    const place = `release ${tag} of ${this.#spec.repository} on ${this.#api.host}`;
    if (!asset) {
      const near = mostSimilar(
        wanted,
        release.assets.map((each) => each.name),
      );
      return nothing(
        `${place} has no file "${wanted}"`,
        near === undefined
          ? 'add it to the release, or correct source.asset'
          : `correct source.asset: did you mean "${near}"?`,
        asked,
      );
    }
    return found(
      {
        from: `${asset.name} of ${place}`,
        commit: await this.#api.commit(tag),
        version,
        identity: `github:${this.#api.host}/${this.#spec.repository}/assets/${asset.id}`,
        sha256: readDigest(asset.digest, '')?.hex ?? null,
        place: { asset: String(asset.id) },
      },
      asked,
    );
  }

  async #findArtifact(name: string, target: ReleaseTarget, asked: ReleaseCandidate[]): Promise<Finding> {
    const sha = await this.#commitOf(target);
    if (typeof sha !== 'string') return { ...sha, candidates: asked };
    this.#web.scene.say(`looking for artifact "${name}" in all runs of ${shortCommit(sha)}`);
    const runs = await this.#api.runs(sha);
    const all = await mapAtOnce(AT_ONCE, runs, async (run) => ({
      run,
      artifacts: await this.#api.artifacts(run.id),
    }));
    const looks = await this.#look(all, name);
    const now = Date.now();
    const candidates = [...asked, ...judge(all, name, looks, now)];
    const chosen = order(all, name).find(({ artifact }) => looks.get(artifact.id) === 'there');
    if (chosen) {
      const { id, digest } = chosen.artifact;
      const choice = {
        from: `artifact ${id} "${name}" of ${this.#spec.repository} on ${this.#api.host} (run ${chosen.run.id})`,
        commit: sha,
        version: target.version ?? null,
        identity: `github:${this.#api.host}/${this.#spec.repository}/artifacts/${id}`,
        sha256: null,
        place: { artifact: String(id), ...(digest ? { digest } : {}) },
      };
      return found(choice, candidates);
    }
    const fact = `no run of commit ${shortCommit(sha)} has a usable artifact "${name}" in ${this.#spec.repository} on ${this.#api.host} (${plural(all.length, 'run')})`;
    return nothing(fact, remedy(all, name, now), candidates);
  }

  async #look(all: readonly RunArtifacts[], name: string): Promise<Looks> {
    const looks = new Map<number, 'there' | 'gone'>();
    for (const { artifact } of order(all, name)) {
      const { status } = await this.#web.probe(this.#api.artifactZip(artifact.id));
      if (status !== 200 && status !== 404 && status !== 410) throw this.#api.refusal({ status });
      looks.set(artifact.id, status === 200 ? 'there' : 'gone');
      if (status === 200) break;
    }
    return looks;
  }

  async #commitOf({ commit, ref, version }: ReleaseTarget): Promise<string | Finding> {
    const place = `${this.#spec.repository} on ${this.#api.host}`;
    const names = commit ?? ref ?? (version === undefined ? await this.#api.defaultBranch() : null);
    for (const name of version !== undefined && commit === undefined && ref === undefined
      ? tagsOf(version)
      : [names]) {
      const sha = name === null ? null : await this.#api.commit(name);
      if (sha !== null) return sha;
    }
    const what =
      commit !== undefined
        ? `commit ${commit}`
        : version !== undefined
          ? `version ${version}`
          : `"${names ?? 'the default branch'}"`;
    return nothing(`${what} is not in ${place}`, 'push it, or see that source.repository is the right one');
  }

  #refuse(status: number, { from }: BuildChoice): Error {
    if (status !== 404 && status !== 410) return this.#api.refusal({ status });
    return this.#web.scene.error(
      'source-failed',
      `${from} was there a moment ago and is gone (${status})`,
      'release again: another build may have taken its place',
    );
  }
}
