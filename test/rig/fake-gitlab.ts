/**
 * A GitLab, as far as releases ask it. Derived from its documented behaviour and its source (lib/api/ci/job_artifacts.rb, jobs.rb,
 * pipelines.rb, generic_packages.rb, entities/ci/job.rb, spec/requests/api/ci/job_artifacts_spec.rb), not from a running one:
 *
 * - `artifacts_file` is left out as soon as the expiry has passed, whether or not the file is there; a download only asks whether it is;
 * - 404 is `404 Not Found` for an archive that is gone and `404 Not found` for a job that is unknown;
 * - lists have 20 entries a page, with X-Next-Page; jobs are newest first, without retried ones; before 13.5 oldest first, with them;
 * - archives come from GitLab itself, or by a 302 from an object storage, which has another origin and a signature in the query;
 * - child pipelines are listed only by `source=parent_pipeline` (17.0);
 * - what a token may not see is answered as if it were not there; deploy tokens read packages, by HTTP Basic, and no jobs.
 */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { FakeServer, sendJson, type Heard } from './fake-server.js';

export interface FakePipeline {
  readonly id: number;
  readonly sha: string;
  /** @default push */
  readonly source?: string;
  /** @default success */
  readonly status?: string;
}

export interface FakeJob {
  readonly id: number;
  readonly pipeline: number;
  readonly name: string;
  /** @default success */
  readonly status?: string;
  readonly finishedAt?: string;
  /** null: the server has none (any more). @default null */
  readonly archive?: Buffer | null;
  readonly expiresAt?: string | null;
  readonly erasedAt?: string | null;
  /** Another one of this pipeline has taken its place. */
  readonly isRetried?: boolean;
}

export interface FakePackage {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: Buffer;
  readonly createdAt?: string;
}

export interface FakeToken {
  readonly role: 'guest' | 'reporter' | 'developer';
  readonly scope: 'read_api' | 'api' | 'read_repository' | 'deploy';
}

export interface FakeGitlabOptions {
  readonly project?: string;
  /** @default 17 */
  readonly version?: 13 | 17;
  readonly isPublic?: boolean;
  /** Archives are redirected to an object storage. */
  readonly hasStorage?: boolean;
  /** Below which everything is served. @default none */
  readonly relativeUrl?: string;
}

const PAGE = 20;

export class FakeGitlab implements AsyncDisposable {
  readonly server: FakeServer;
  readonly storage: FakeServer;
  readonly tokens = new Map<string, FakeToken>();
  /** Branches, tags, and commits by themselves. */
  readonly refs = new Map<string, string>();
  readonly pipelines: FakePipeline[] = [];
  readonly jobs: FakeJob[] = [];
  readonly packages: FakePackage[] = [];
  readonly kept: number[] = [];
  /** Signed into URLs of the storage. */
  signature = 'c2lnbmF0dXJl-of-the-storage';
  readonly #options: FakeGitlabOptions;

  private constructor(options: FakeGitlabOptions) {
    this.#options = options;
    this.server = new FakeServer((heard, response) => this.#answer(heard, response));
    this.storage = new FakeServer((heard, response) => this.#store(heard, response));
  }

  static async open(options: FakeGitlabOptions = {}): Promise<FakeGitlab> {
    const gitlab = new FakeGitlab(options);
    await gitlab.server.open();
    await gitlab.storage.open();
    return gitlab;
  }

  get url(): string {
    return `${this.server.url}${this.#options.relativeUrl ?? ''}`;
  }

  get project(): string {
    return this.#options.project ?? 'web/shop';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.storage[Symbol.asyncDispose]();
  }

  #answer(heard: Heard, response: ServerResponse): void | Promise<void> {
    const base = `${this.#options.relativeUrl ?? ''}/api/v4/projects/`;
    if (!heard.path.startsWith(base)) return sendJson(response, 404, { error: '404 Not Found' });
    const [project, ...parts] = heard.path
      .slice(base.length)
      .split('/')
      .filter(Boolean)
      .map(decodeURIComponent);
    const refusal = this.#refusal(heard, project!, parts);
    if (refusal) return sendJson(response, ...refusal);
    const query = new URLSearchParams(heard.url.split('?')[1] ?? '');
    const route = parts.map((part) => (/^\d+$/.test(part) ? ':id' : part)).join('/');
    if (route === '')
      return sendJson(response, 200, { id: 7, default_branch: 'main', path_with_namespace: this.project });
    if (parts[0] === 'repository') return this.#commit(parts[2]!, response);
    if (route === 'pipelines') return this.#listPipelines(query, heard, response);
    if (route === 'pipelines/:id/jobs') return this.#listJobs(Number(parts[1]), query, heard, response);
    if (route === 'jobs/:id/artifacts') return this.#artifacts(Number(parts[1]), heard, response);
    if (route === 'jobs/:id/artifacts/keep') return this.#keep(Number(parts[1]), heard, response);
    if (parts[0] === 'packages' && parts[1] === 'generic')
      return this.#package(parts.slice(2), heard, response);
    if (route === 'packages') return this.#listPackages(query, heard, response);
    return sendJson(response, 404, { error: '404 Not Found' });
  }

  /** In the order in which GitLab judges: who is it, is there a project, may it. */
  #refusal({ headers, method }: Heard, project: string, parts: string[]): [number, unknown] | null {
    const isPackage = parts[0] === 'packages';
    const basic = Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64')
      .toString()
      .split(':')[1];
    const name = (headers['private-token'] as string | undefined) ?? (isPackage ? basic : undefined);
    const token = name === undefined ? null : this.tokens.get(name);
    if (token === undefined || (token?.scope === 'deploy' && !(isPackage && basic !== undefined)))
      return [401, { message: '401 Unauthorized' }];
    const isKnown = project === this.project || project === '7';
    if (!isKnown || (token === null && !this.#options.isPublic))
      return [404, { message: '404 Project Not Found' }];
    if (token?.scope === 'read_repository' || (method === 'POST' && token?.scope !== 'api'))
      return [403, INSUFFICIENT];
    const isOfBuilds = parts[0] === 'jobs' || parts[0] === 'pipelines';
    return token?.role === 'guest' && isOfBuilds ? [403, { message: '403 Forbidden' }] : null;
  }

  #commit(ref: string, response: ServerResponse): void {
    const shas = new Set([...this.refs.values(), ...this.pipelines.map(({ sha }) => sha)]);
    const sha = this.refs.get(ref) ?? [...shas].find((each) => each.startsWith(ref));
    if (sha === undefined) return sendJson(response, 404, { message: '404 Commit Not Found' });
    const last = this.pipelines.filter((each) => each.sha === sha).sort((a, b) => b.id - a.id)[0];
    return sendJson(response, 200, { id: sha, short_id: sha.slice(0, 8), last_pipeline: last ?? null });
  }

  #listPipelines(query: URLSearchParams, heard: Heard, response: ServerResponse): void {
    const source = this.#options.version === 13 ? null : query.get('source');
    const listed = this.pipelines
      .filter(({ sha }) => query.get('sha') === null || sha === query.get('sha'))
      .filter((each) => (source === null ? each.source !== 'parent_pipeline' : each.source === source))
      .sort((a, b) => b.id - a.id)
      .map(({ id, sha, source: from = 'push', status = 'success' }) => ({
        ...{ id, project_id: 7, sha, ref: 'main', status, source: from },
        web_url: `${this.url}/${this.project}/-/pipelines/${id}`,
      }));
    return page(listed, query, heard, response);
  }

  #listJobs(pipeline: number, query: URLSearchParams, heard: Heard, response: ServerResponse): void {
    const isOld = this.#options.version === 13;
    const listed = this.jobs
      .filter((job) => job.pipeline === pipeline && (isOld || !job.isRetried))
      .sort((a, b) => (isOld ? a.id - b.id : b.id - a.id))
      .map((job) => this.#jobEntity(job));
    return page(listed, query, heard, response);
  }

  #jobEntity(job: FakeJob): unknown {
    const { id, name, status = 'success', finishedAt = '2026-11-20T10:00:00.000Z', expiresAt = null } = job;
    const isExpired = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
    const file = job.archive ? { filename: 'artifacts.zip', size: job.archive.length } : null;
    return {
      ...{ id, name, status, stage: 'build', ref: 'main', tag: false, allow_failure: false, archived: false },
      ...{
        created_at: finishedAt,
        started_at: finishedAt,
        finished_at: finishedAt,
        duration: 1,
        tag_list: [],
      },
      erased_at: job.erasedAt ?? null,
      commit: { id: this.pipelines.find((each) => each.id === job.pipeline)?.sha },
      pipeline: { id: job.pipeline, project_id: 7 },
      web_url: `${this.url}/${this.project}/-/jobs/${id}`,
      ...(file && !isExpired ? { artifacts_file: file } : {}),
      artifacts: [
        ...(file
          ? [{ file_type: 'archive', size: file.size, filename: file.filename, file_format: 'zip' }]
          : []),
        { file_type: 'trace', size: 2000, filename: 'job.log', file_format: null },
      ],
      artifacts_expire_at: expiresAt,
    };
  }

  async #artifacts(id: number, heard: Heard, response: ServerResponse): Promise<void> {
    const job = this.jobs.find((each) => each.id === id);
    if (!job) return sendJson(response, 404, { message: '404 Not found' });
    if (!job.archive) return sendJson(response, 404, { message: '404 Not Found' });
    if (this.#options.hasStorage) {
      const location = `${this.storage.url}/artifacts/${id}?X-Amz-Signature=${this.signature}&X-Amz-Expires=600`;
      response.writeHead(302, { location }).end();
      return;
    }
    await this.server.send(heard, response, { bytes: job.archive });
  }

  async #store(heard: Heard, response: ServerResponse): Promise<void> {
    const job = this.jobs.find(({ id }) => heard.path === `/artifacts/${id}`);
    const isSigned = heard.url.includes(`X-Amz-Signature=${this.signature}`);
    if (!job?.archive || !isSigned) {
      response
        .writeHead(403, { 'content-type': 'application/xml' })
        .end(`<Error>SignatureDoesNotMatch ${heard.url}</Error>`);
      return;
    }
    await this.storage.send(heard, response, { bytes: job.archive });
  }

  #keep(id: number, _heard: Heard, response: ServerResponse): void {
    const job = this.jobs.find((each) => each.id === id);
    if (!job?.archive) return sendJson(response, 404, { message: '404 Not found' });
    this.kept.push(id);
    return sendJson(response, 200, this.#jobEntity({ ...job, expiresAt: null }));
  }

  async #package([name, version, file]: string[], heard: Heard, response: ServerResponse): Promise<void> {
    const found = this.packages.find(
      (each) => each.name === name && each.version === version && each.file === file,
    );
    if (!found) return sendJson(response, 404, { message: '404 Not Found' });
    const sha256 = createHash('sha256').update(found.bytes).digest('hex');
    await this.server.send(heard, response, { bytes: found.bytes, headers: { 'x-checksum-sha256': sha256 } });
  }

  #listPackages(query: URLSearchParams, heard: Heard, response: ServerResponse): void {
    const listed = this.packages
      .filter(({ name }) => name.includes(query.get('package_name') ?? '')) // fuzzy, as there
      .sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''))
      .map(({ name, version, createdAt = null }, index) => ({
        ...{ id: index, name, version, package_type: 'generic', created_at: createdAt },
      }));
    return page(listed, query, heard, response);
  }
}

const INSUFFICIENT = {
  error: 'insufficient_scope',
  error_description: 'The request requires higher privileges than provided by the access token.',
  scope: 'api read_api',
};

function page(
  all: readonly unknown[],
  query: URLSearchParams,
  { path }: Heard,
  response: ServerResponse,
): void {
  const size = Math.min(Number(query.get('per_page') ?? PAGE), 100);
  const at = Number(query.get('page') ?? 1);
  const pages = Math.max(1, Math.ceil(all.length / size));
  const next = at < pages ? String(at + 1) : '';
  sendJson(response, 200, all.slice((at - 1) * size, at * size), {
    'x-page': String(at),
    'x-per-page': String(size),
    'x-next-page': next,
    'x-total': String(all.length),
    'x-total-pages': String(pages),
    // A server behind a proxy that it does not know of names itself wrongly.
    ...(next === '' ? {} : { link: `<http://gitlab.internal${path}?page=${next}>; rel="next"` }),
  });
}
