/** What of GitHub's API is needed, with its refusals told apart as far as the server does. */
import * as v from 'valibot';
import type { SourceSpec } from '../../../protocol/index.js';
import { below, parseUrl } from '../place.js';
import type { Scene } from '../scene.js';
import type { Answer, Ask } from '../web/exchange.js';
import { understood, type Reply, type Web } from '../web/web.js';

export type GithubSpec = Extract<SourceSpec, { type: 'github' }>;

const text = v.nullish(v.string());
const Commit = v.object({ sha: v.string() });
const Repository = v.object({ default_branch: text });
const Run = v.object({
  id: v.number(),
  name: text,
  event: text,
  status: text,
  conclusion: text,
  html_url: text,
});
const Artifact = v.object({
  id: v.number(),
  name: v.string(),
  size_in_bytes: v.nullish(v.number()),
  expired: v.boolean(),
  created_at: text,
  expires_at: text,
  digest: text,
});
const Asset = v.object({
  id: v.number(),
  name: v.string(),
  size: v.nullish(v.number()),
  state: text,
  digest: text,
});
const Release = v.object({
  id: v.number(),
  tag_name: v.string(),
  draft: v.nullish(v.boolean()),
  html_url: text,
  assets: v.array(Asset),
});

export type Run = v.InferOutput<typeof Run>;
export type Artifact = v.InferOutput<typeof Artifact>;
export type Release = v.InferOutput<typeof Release>;

const READ = 'a fine-grained token with read access to Actions and Contents of the repository does';

export class GithubApi {
  readonly host: string;
  readonly spec: GithubSpec;
  readonly #web: Web;
  readonly #scene: Scene;
  readonly #base: URL;
  readonly #token: string | null;

  constructor(web: Web, spec: GithubSpec, token: string | null) {
    this.spec = spec;
    this.#web = web;
    this.#scene = web.scene;
    this.#base = parseUrl('source.url', spec.url, web.scene);
    this.#token = token;
    this.host = this.#base.host;
  }

  /** null: the repository has no such commit, branch or tag. */
  async commit(ref: string): Promise<string | null> {
    const reply = await this.#get(['commits', ref]);
    if (reply.status === 200) return understood(Commit, reply, this.#scene).sha;
    if (reply.status === 422) return null; // "No commit found for SHA"
    if (reply.status !== 404) throw this.refusal(reply);
    await this.defaultBranch(); // tells it where the repository is what is missing
    return null;
  }

  async defaultBranch(): Promise<string | null> {
    const reply = await this.#get([]);
    if (reply.status !== 200) throw this.refusal(reply);
    return understood(Repository, reply, this.#scene).default_branch ?? null;
  }

  async runs(sha: string): Promise<Run[]> {
    const ask = this.#ask(['actions', 'runs'], { head_sha: sha });
    return this.#web.pages(ask, (reply) => {
      if (reply.status !== 200) throw this.refusal(reply);
      return understood(v.object({ workflow_runs: v.array(Run) }), reply, this.#scene).workflow_runs;
    });
  }

  async artifacts(run: number): Promise<Artifact[]> {
    return this.#web.pages(this.#ask(['actions', 'runs', run, 'artifacts']), (reply) => {
      if (reply.status !== 200) throw this.refusal(reply);
      return understood(v.object({ artifacts: v.array(Artifact) }), reply, this.#scene).artifacts;
    });
  }

  /** null: there is none for the tag; absent: the latest one. */
  async release(tag?: string): Promise<Release | null> {
    const reply = await this.#get(tag === undefined ? ['releases', 'latest'] : ['releases', 'tags', tag]);
    if (reply.status === 200) return understood(Release, reply, this.#scene);
    if (reply.status !== 404) throw this.refusal(reply);
    await this.defaultBranch();
    return null;
  }

  artifactZip(id: number | string): Ask {
    return this.#ask(['actions', 'artifacts', id, 'zip']);
  }

  asset(id: number | string): Ask {
    return this.#ask(['releases', 'assets', id], {}, 'application/octet-stream');
  }

  refusal({ status, words = '' }: Pick<Answer, 'status'> & Partial<Pick<Reply, 'words'>>): Error {
    const { repository } = this.spec;
    const fail = (fact: string, hint: string): Error =>
      this.#scene.error('source-failed', `${fact} (${status}${words && ` ${words}`})`, hint);
    switch (status) {
      case 401:
        return this.#token === null
          ? fail(`${this.host} wants a token`, `set source.token: ${READ}`)
          : fail(
              `${this.host} does not accept the token`,
              `see that it has neither expired nor been revoked: ${READ}`,
            );
      case 403:
        return fail(
          `the token may not read builds of ${repository} on ${this.host}`,
          `${READ}; an organisation may have to approve it`,
        );
      case 404:
        return this.#token === null
          ? fail(
              `repository ${repository} does not exist on ${this.host}, or nobody may see it without a token`,
              `set source.token: ${READ}`,
            )
          : fail(
              `repository ${repository} does not exist on ${this.host}, or is hidden from the token`,
              `see that source.repository is right: ${READ}`,
            );
      default:
        return fail(
          `${this.host} answered something unexpected`,
          'see that source.url is that of the API, like https://api.github.com',
        );
    }
  }

  #get(parts: readonly (string | number)[]): Promise<Reply> {
    return this.#web.read(this.#ask(parts));
  }

  #ask(
    parts: readonly (string | number)[],
    query: Readonly<Record<string, string>> = {},
    accept = 'application/vnd.github+json',
  ): Ask {
    return {
      url: below(this.#base, ['repos', ...this.spec.repository.split('/'), ...parts], query),
      headers: { accept, 'x-github-api-version': '2022-11-28' },
      credentials: this.#token === null ? {} : { authorization: `Bearer ${this.#token}` },
    };
  }
}
