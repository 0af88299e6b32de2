/** Builds of GitLab: a generic package of that version where one is configured, else the artifacts of a job, by its name. */
import type { ReleaseCandidate, ReleaseTarget } from '../../../protocol/index.js';
import { mapAtOnce } from '../at-once.js';
import { bringFile, type Depot } from '../depot.js';
import { candidate, found, nothing, type Finding, type Source } from '../source.js';
import type { StoredArtifact } from '../../artifact-store.js';
import type { BuildChoice } from '../../job.js';
import { fillPlaces, plural, shortCommit, tagsOf } from '../words.js';
import type { Web } from '../web/web.js';
import { GitlabApi, type GitlabSpec, type Job } from './api.js';
import { judge, order, type PipelineJobs } from './judge.js';
import { remedy } from './remedy.js';

const AT_ONCE = 4;

export class GitlabSource implements Source {
  readonly #web: Web;
  readonly #spec: GitlabSpec;
  readonly #api: GitlabApi;
  readonly #depot: Depot;

  private constructor(web: Web, spec: GitlabSpec, token: string | null, depot: Depot) {
    this.#web = web;
    this.#spec = spec;
    this.#api = new GitlabApi(web, spec, token);
    this.#depot = depot;
  }

  static async open(web: Web, spec: GitlabSpec, depot: Depot): Promise<GitlabSource> {
    return new GitlabSource(web, spec, await web.scene.secret('the token of GitLab', spec.token), depot);
  }

  async find(target: ReleaseTarget): Promise<Finding> {
    const asked: ReleaseCandidate[] = [];
    const byVersion = await this.#findPackage(target, asked);
    if (byVersion) return byVersion;
    const sha = await this.#commitOf(target);
    if (typeof sha !== 'string') return { ...sha, candidates: asked };
    const { scene } = this.#web;
    scene.say(`looking for job "${this.#spec.job}" in all pipelines of ${shortCommit(sha)}`);
    const all = await this.#jobsOf(sha);
    const looks = await this.#look(order(all, this.#spec.job));
    const now = Date.now();
    const candidates = [...asked, ...judge(all, this.#spec.job, looks, now)];
    const chosen = order(all, this.#spec.job).find(({ id }) => looks.get(id) === 'there');
    if (chosen) return found(this.#choiceOf(chosen, sha, target), candidates);
    return nothing(this.#nothingIn(all, sha), remedy(all, this.#spec.job, now), candidates);
  }

  async bring(choice: BuildChoice): Promise<StoredArtifact> {
    const { job, version, file } = choice.place;
    const ask = job === undefined ? this.#api.packageFile(version!, file!) : this.#api.artifacts(job);
    const stored = await bringFile(this.#web, this.#depot, choice, ask, {
      checksums: [],
      refuse: (answer) => this.#refuse(answer.status, choice),
    });
    if (job !== undefined && this.#spec.keep && choice.place.expires !== undefined) await this.#keep(job);
    return stored;
  }

  async #findPackage(target: ReleaseTarget, asked: ReleaseCandidate[]): Promise<Finding | null> {
    if (!this.#spec.package) return null;
    const { name } = this.#spec.package;
    for (const version of await this.#versionsFor(target)) {
      const file = fillPlaces(this.#spec.package.file, { ...target, version });
      if ('missing' in file) continue;
      const { status, headers, firstHeaders } = await this.#web.probe(
        this.#api.packageFile(version, file.filled),
      );
      const isThere = status === 200;
      if (!isThere && status !== 404) throw this.#api.refusal({ status });
      const verdict = isThere ? 'chosen' : 'is not in the package registry, or hidden from the token';
      const row = { origin: 'package registry', name: `${name} ${version}`, archive: file.filled, verdict };
      asked.push(candidate({ ...row, status: isThere ? 'published' : '-', isChosen: isThere }));
      if (!isThere) continue;
      const said = [headers, firstHeaders]
        .map((each) => each['x-checksum-sha256'])
        .find((each) => typeof each === 'string');
      return found(await this.#packageChoice(version, file.filled, said, target), asked);
    }
    return null;
  }

  /** Which versions of the package may be the one that is asked for. */
  async #versionsFor({ version, commit, ref }: ReleaseTarget): Promise<string[]> {
    if (version !== undefined) return [version];
    if (commit !== undefined || ref !== undefined) {
      const [, bare] = /^v?(\d+\.\d+\.\d+.*)$/.exec(ref ?? '') ?? [];
      return [...(bare === undefined ? [] : [bare]), ...(commit === undefined ? [] : [commit])];
    }
    const [newest] = await this.#api.packages(this.#spec.package!.name);
    return newest ? [newest.version] : [];
  }

  async #packageChoice(
    version: string,
    file: string,
    sha256: string | undefined,
    target: ReleaseTarget,
  ): Promise<BuildChoice> {
    const { name } = this.#spec.package!;
    const { project } = this.#spec;
    const commit = target.commit ?? (await this.#tagged(version));
    return {
      from: `package ${name} ${version} (${file}) of ${project} on ${this.#api.host}`,
      commit: commit?.length === 40 ? commit : null,
      version,
      identity: null, // a version can be published again
      sha256: sha256 && /^[\da-f]{64}$/i.test(sha256) ? sha256.toLowerCase() : null,
      place: { version, file },
    };
  }

  /** The commit, or why there is none. */
  async #commitOf({ commit, ref, version }: ReleaseTarget): Promise<string | Finding> {
    const { project } = this.#spec;
    const place = `${project} on ${this.#api.host}`;
    if (commit !== undefined) {
      const sha = await this.#api.commit(commit);
      return (
        sha ??
        nothing(`commit ${commit} is not in ${place}`, 'push it, or see that source.project is the right one')
      );
    }
    if (version !== undefined) {
      const sha = await this.#tagged(version);
      return (
        sha ??
        nothing(
          `version ${version} has neither a package nor a tag (${tagsOf(version).join(', ')}) in ${place}`,
          'tag the commit, or publish the package',
        )
      );
    }
    const branch = ref ?? (await this.#api.project()).default_branch;
    if (!branch)
      return nothing(
        `${place} has no default branch`,
        'push a branch, or say which commit is to be released',
      );
    const sha = await this.#api.commit(branch);
    return (
      sha ??
      nothing(
        `neither a branch nor a tag "${branch}" is in ${place}`,
        'push it, or see that its name is right',
      )
    );
  }

  async #tagged(version: string): Promise<string | null> {
    for (const tag of tagsOf(version)) {
      const sha = await this.#api.commit(tag);
      if (sha !== null) return sha;
    }
    return null;
  }

  async #jobsOf(sha: string): Promise<PipelineJobs[]> {
    const pipelines = await this.#api.pipelines(sha);
    return mapAtOnce(AT_ONCE, pipelines, async (pipeline) => ({
      pipeline,
      jobs: await this.#api.jobs(pipeline.id),
    }));
  }

  /** Asks for archives until one is there: what is said of expiry may be wrong either way. */
  async #look(jobs: readonly Job[]): Promise<Map<number, 'there' | 'gone'>> {
    const looks = new Map<number, 'there' | 'gone'>();
    for (const { id } of jobs) {
      const { status } = await this.#web.probe(this.#api.artifacts(id));
      if (status !== 200 && status !== 404 && status !== 410) throw this.#api.refusal({ status });
      looks.set(id, status === 200 ? 'there' : 'gone');
      if (status === 200) break;
    }
    return looks;
  }

  #choiceOf(
    { id, name, artifacts_expire_at: expires }: Job,
    sha: string,
    { version }: ReleaseTarget,
  ): BuildChoice {
    const { project } = this.#spec;
    return {
      from: `job ${id} "${name}" of ${project} on ${this.#api.host}`,
      commit: sha,
      version: version ?? null,
      identity: `gitlab:${this.#api.host}/${project}/jobs/${id}`,
      sha256: null,
      place: { job: String(id), ...(expires ? { expires } : {}) },
    };
  }

  #nothingIn(all: readonly PipelineJobs[], sha: string): string {
    const count = all.flatMap(({ jobs }) => jobs).filter(({ name }) => name === this.#spec.job).length;
    const looked = `${plural(all.length, 'pipeline')}, ${plural(count, 'job')} of that name`;
    return `no job "${this.#spec.job}" of commit ${shortCommit(sha)} has an archive in ${this.#spec.project} on ${this.#api.host} (${looked})`;
  }

  #refuse(status: number, { from }: BuildChoice): Error {
    if (status !== 404 && status !== 410) return this.#api.refusal({ status });
    return this.#web.scene.error(
      'source-failed',
      `${from} was there a moment ago and is gone (${status})`,
      'release again: another build may have taken its place',
    );
  }

  async #keep(job: string): Promise<void> {
    const why = await this.#api.keep(job).catch((error: unknown) => (error as Error).message);
    if (why === null) return;
    this.#web.scene.remark(
      `job ${job} may still expire: GitLab was asked to keep its artifacts and did not (${why}); that needs a token with the scope api and the role Developer`,
    );
  }
}
