/**
 * What of GitLab's API is needed (v4), with its refusals told apart as far as the server does: it answers 404 for what is not there
 * and for what the token may not see.
 */
import * as v from 'valibot';
import type { SourceSpec } from '../../../protocol/index.js';
import { below, parseUrl } from '../place.js';
import type { Scene } from '../scene.js';
import type { Ask, Answer } from '../web/exchange.js';
import { understood, type Reply, type Web } from '../web/web.js';

export type GitlabSpec = Extract<SourceSpec, { type: 'gitlab' }>;

const text = v.nullish(v.string());
const Commit = v.object({ id: v.string() });
const Project = v.object({ default_branch: text, web_url: text });
const Pipeline = v.object({ id: v.number(), status: v.string(), source: text, web_url: text });
const Job = v.object({
  id: v.number(),
  name: v.string(),
  status: v.string(),
  created_at: text,
  finished_at: text,
  erased_at: text,
  web_url: text,
  artifacts_file: v.nullish(v.object({ filename: v.string(), size: v.nullish(v.number()) })),
  artifacts: v.nullish(
    v.array(v.object({ file_type: v.string(), filename: text, size: v.nullish(v.number()) })),
  ),
  artifacts_expire_at: text,
});
const Package = v.object({ name: v.string(), version: v.string(), created_at: text });

export type Pipeline = v.InferOutput<typeof Pipeline>;
export type Job = v.InferOutput<typeof Job>;
export type Package = v.InferOutput<typeof Package>;

const SCOPES = 'a project access token with the scope read_api and the role Reporter does';

export class GitlabApi {
  readonly host: string;
  readonly spec: GitlabSpec;
  readonly #web: Web;
  readonly #scene: Scene;
  readonly #base: URL;
  readonly #token: string | null;

  constructor(web: Web, spec: GitlabSpec, token: string | null) {
    this.spec = spec;
    this.#web = web;
    this.#scene = web.scene;
    this.#base = parseUrl('source.url', spec.url, web.scene);
    this.#token = token;
    this.host = this.#base.host;
  }

  /** null: the project has no such commit, branch or tag. */
  async commit(ref: string): Promise<string | null> {
    const reply = await this.#get(['repository', 'commits', ref]);
    if (reply.status === 200) return understood(Commit, reply, this.#scene).id;
    if (reply.status !== 404) throw this.refusal(reply);
    if (!/commit not found/i.test(reply.words)) await this.project(); // tells it where that is what is missing
    return null;
  }

  async project(): Promise<v.InferOutput<typeof Project>> {
    const reply = await this.#get([]);
    if (reply.status !== 200) throw this.refusal(reply);
    return understood(Project, reply, this.#scene);
  }

  /** All of the commit; child pipelines are told only where they are asked for (GitLab 17). */
  async pipelines(sha: string): Promise<Pipeline[]> {
    const listed = await this.#list(Pipeline, ['pipelines'], { sha });
    const children = await this.#list(Pipeline, ['pipelines'], { sha, source: 'parent_pipeline' }, [400]);
    return [...new Map([...listed, ...children].map((each) => [each.id, each])).values()].sort(
      (a, b) => b.id - a.id,
    );
  }

  /** Without those that were retried: their successor stands for them. Before GitLab 13.9 that is not understood, and they come, too. */
  async jobs(pipeline: number): Promise<Job[]> {
    return this.#list(Job, ['pipelines', pipeline, 'jobs'], { include_retried: 'false' });
  }

  async packages(name: string): Promise<Package[]> {
    const query = { package_type: 'generic', package_name: name, order_by: 'created_at', sort: 'desc' };
    const all = await this.#list(Package, ['packages'], query, [403, 404]); // the registry may be off
    return all.filter((each) => each.name === name); // the server's filter is a fuzzy one
  }

  artifacts(job: number | string): Ask {
    return this.#ask(['jobs', job, 'artifacts']);
  }

  packageFile(version: string, file: string): Ask {
    const ask = this.#ask(['packages', 'generic', this.spec.package?.name ?? '', version, file]);
    // As PRIVATE-TOKEN they are not taken (gitlab-org/gitlab#323907).
    if (!this.#token?.startsWith('gldt-')) return ask;
    const pair = Buffer.from(`deploy-token:${this.#token}`).toString('base64');
    return { ...ask, credentials: { authorization: `Basic ${pair}` } };
  }

  /** null: it is done. */
  async keep(job: string): Promise<string | null> {
    const { status, words } = await this.#web.read({
      ...this.#ask(['jobs', job, 'artifacts', 'keep']),
      method: 'POST',
    });
    return status >= 200 && status < 300 ? null : `${status}${words && ` ${words}`}`;
  }

  /** What an answer that is not the one that was asked for means. */
  refusal({ status, words = '' }: Pick<Answer, 'status'> & Partial<Pick<Reply, 'words'>>): Error {
    const { project } = this.spec;
    const said =
      words === '' || words.startsWith(String(status)) ? words || String(status) : `${status} ${words}`;
    const fail = (fact: string, hint: string): Error =>
      this.#scene.error('source-failed', `${fact} (${said})`, hint);
    switch (status) {
      case 401:
        if (this.#token === null) return fail(`${this.host} wants a token`, `set source.token: ${SCOPES}`);
        return fail(`${this.host} does not accept the token`, this.#adviceAboutToken());
      case 403:
        return /insufficient_scope/.test(words)
          ? fail(
              `the token has not the scope that ${project} on ${this.host} asks for`,
              `make another one: ${SCOPES}`,
            )
          : fail(
              `the token may not read builds of ${project} on ${this.host}`,
              `give its owner the role Reporter: ${SCOPES}`,
            );
      case 404:
        if (/^404 Not Found$/.test(words) && !/project/i.test(words))
          return fail(
            `${this.host} has no such place in its API`,
            'see that source.url is that of a GitLab, without /api/v4',
          );
        return this.#token === null
          ? fail(
              `project ${project} does not exist on ${this.host}, or nobody may see it without a token`,
              `set source.token: ${SCOPES}`,
            )
          : fail(
              `project ${project} does not exist on ${this.host}, or is hidden from the token`,
              `see that source.project is right, and that its token is one of that project: ${SCOPES}`,
            );
      default:
        return fail(
          `${this.host} answered something unexpected`,
          'see that source.url is that of a GitLab, 13 or later',
        );
    }
  }

  #adviceAboutToken(): string {
    return this.#token?.startsWith('gldt-')
      ? `a deploy token cannot read builds of jobs, only packages: ${SCOPES}`
      : `see that it has neither expired nor been revoked: ${SCOPES}`;
  }

  async #list<const S extends v.GenericSchema>(
    schema: S,
    parts: readonly (string | number)[],
    query: Readonly<Record<string, string>>,
    noneAt: readonly number[] = [],
  ): Promise<v.InferOutput<S>[]> {
    return this.#web.pages(this.#ask(parts, query), (reply) => {
      if (noneAt.includes(reply.status)) return [];
      if (reply.status !== 200) throw this.refusal(reply);
      return understood(v.array(schema), reply, this.#scene);
    });
  }

  #get(parts: readonly (string | number)[]): Promise<Reply> {
    return this.#web.read(this.#ask(parts));
  }

  #ask(parts: readonly (string | number)[], query: Readonly<Record<string, string>> = {}): Ask {
    const url = below(this.#base, ['api', 'v4', 'projects', this.spec.project, ...parts], query);
    const name = this.#token?.startsWith('glcbt-') ? 'job-token' : 'private-token';
    return { url, credentials: this.#token === null ? {} : { [name]: this.#token } };
  }
}
