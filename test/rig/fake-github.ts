/**
 * A GitHub, as far as releases ask it. Derived from its documented behaviour (docs.github.com: rest/actions/artifacts,
 * rest/actions/workflow-runs, rest/releases), not from the real one:
 *
 * - lists are objects with a total and have 30 entries a page, with `Link: …; rel="next"`;
 * - an artifact that has expired stays listed with `expired: true`; its zip is 410;
 * - zips and files of releases come by a 302 from a storage with another origin and a signature in the query;
 * - an unknown commit is 422, an unknown branch 404; what the token may not see is 404; a spent limit is 403 with
 *   `X-RateLimit-Remaining: 0`.
 */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { FakeServer, sendJson, type Heard } from './fake-server.js';

export interface FakeRun {
  readonly id: number;
  readonly sha: string;
  /** @default push */
  readonly event?: string;
  /** null: it goes on. @default success */
  readonly conclusion?: string | null;
}

export interface FakeArtifact {
  readonly id: number;
  readonly run: number;
  readonly name: string;
  readonly zip: Buffer;
  readonly createdAt?: string;
  readonly expiresAt?: string;
  readonly isExpired?: boolean;
}

export interface FakeGithubRelease {
  readonly id: number;
  readonly tag: string;
  readonly assets: readonly { readonly id: number; readonly name: string; readonly bytes: Buffer }[];
}

const PAGE = 30;
const REPOSITORY = 'acme/shop';

export class FakeGithub implements AsyncDisposable {
  readonly server = new FakeServer((heard, response) => this.#answer(heard, response));
  readonly storage = new FakeServer((heard, response) => this.#store(heard, response));
  readonly tokens = new Set<string>();
  readonly refs = new Map<string, string>();
  readonly runs: FakeRun[] = [];
  readonly artifacts: FakeArtifact[] = [];
  readonly releases: FakeGithubRelease[] = [];
  readonly repository = REPOSITORY;
  readonly signature = 'sig-of-the-github-storage';

  static async open(): Promise<FakeGithub> {
    const github = new FakeGithub();
    await github.server.open();
    await github.storage.open();
    return github;
  }

  get url(): string {
    return this.server.url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.storage[Symbol.asyncDispose]();
  }

  #answer(heard: Heard, response: ServerResponse): void {
    const token = heard.headers.authorization?.replace(/^Bearer /, '');
    if (token === undefined) return notFound(response);
    if (!this.tokens.has(token)) return sendJson(response, 401, { message: 'Bad credentials' });
    const prefix = `/repos/${REPOSITORY}`;
    if (heard.path !== prefix && !heard.path.startsWith(`${prefix}/`)) return notFound(response);
    const parts = heard.path.slice(prefix.length).split('/').filter(Boolean).map(decodeURIComponent);
    const route = parts.map((part) => (/^\d+$/.test(part) ? ':id' : part)).join('/');
    const query = new URLSearchParams(heard.url.split('?')[1] ?? '');
    if (route === '') return sendJson(response, 200, { full_name: REPOSITORY, default_branch: 'main' });
    if (parts[0] === 'commits') return this.#commit(parts[1]!, response);
    if (route === 'actions/runs') return this.#listRuns(query, response);
    if (route === 'actions/runs/:id/artifacts') return this.#listArtifacts(Number(parts[2]), query, response);
    if (route === 'actions/artifacts/:id/zip') return this.#zip(Number(parts[2]), response);
    if (parts[0] === 'releases' && parts[1] === 'assets')
      return this.#redirect(`assets/${parts[2]}`, response);
    if (parts[0] === 'releases') return this.#release(parts[1] === 'latest' ? null : parts[2]!, response);
    return notFound(response);
  }

  #commit(ref: string, response: ServerResponse): void {
    const sha = this.refs.get(ref) ?? this.runs.find((run) => run.sha.startsWith(ref))?.sha;
    if (sha !== undefined) return sendJson(response, 200, { sha });
    return /^[\da-f]{40}$/.test(ref)
      ? sendJson(response, 422, { message: `No commit found for SHA: ${ref}` })
      : notFound(response);
  }

  #listRuns(query: URLSearchParams, response: ServerResponse): void {
    const runs = this.runs
      .filter(({ sha }) => sha === query.get('head_sha'))
      .sort((a, b) => b.id - a.id)
      .map(({ id, sha, event = 'push', conclusion = 'success' }) => ({
        ...{ id, name: 'CI', head_sha: sha, event, conclusion, run_attempt: 1 },
        status: conclusion === null ? 'in_progress' : 'completed',
        html_url: `${this.url}/${REPOSITORY}/actions/runs/${id}`,
      }));
    return page('workflow_runs', runs, query, response);
  }

  #listArtifacts(run: number, query: URLSearchParams, response: ServerResponse): void {
    const artifacts = this.artifacts
      .filter((each) => each.run === run)
      .map(
        ({
          id,
          name,
          zip,
          createdAt = '2026-11-20T10:00:00Z',
          expiresAt = '2036-11-20T10:00:00Z',
          isExpired = false,
        }) => ({
          ...{
            id,
            name,
            size_in_bytes: zip.length,
            expired: isExpired,
            created_at: createdAt,
            expires_at: expiresAt,
          },
          archive_download_url: `${this.url}/repos/${REPOSITORY}/actions/artifacts/${id}/zip`,
          digest: digestOf(zip),
          workflow_run: { id: run },
        }),
      );
    return page('artifacts', artifacts, query, response);
  }

  #zip(id: number, response: ServerResponse): void {
    const artifact = this.artifacts.find((each) => each.id === id);
    if (!artifact) return notFound(response);
    if (artifact.isExpired) return sendJson(response, 410, { message: 'Artifact has expired' });
    return this.#redirect(`artifacts/${id}`, response);
  }

  #release(tag: string | null, response: ServerResponse): void {
    const release = tag === null ? this.releases.at(-1) : this.releases.find((each) => each.tag === tag);
    if (!release) return notFound(response);
    return sendJson(response, 200, {
      ...{
        id: release.id,
        tag_name: release.tag,
        draft: false,
        html_url: `${this.url}/${REPOSITORY}/releases/${release.tag}`,
      },
      assets: release.assets.map(({ id, name, bytes }) => ({
        ...{ id, name, size: bytes.length, state: 'uploaded', digest: digestOf(bytes) },
      })),
    });
  }

  #redirect(path: string, response: ServerResponse): void {
    response.writeHead(302, { location: `${this.storage.url}/${path}?sig=${this.signature}` }).end();
  }

  async #store(heard: Heard, response: ServerResponse): Promise<void> {
    const [, kind, id] = heard.path.split('/');
    const bytes =
      kind === 'artifacts'
        ? this.artifacts.find((each) => each.id === Number(id))?.zip
        : this.releases.flatMap(({ assets }) => assets).find((each) => each.id === Number(id))?.bytes;
    if (!bytes || !heard.url.includes(`sig=${this.signature}`)) {
      response.writeHead(403).end(`AuthenticationFailed for ${heard.url}`);
      return;
    }
    await this.storage.send(heard, response, { bytes });
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function notFound(response: ServerResponse): void {
  sendJson(response, 404, { message: 'Not Found', documentation_url: 'https://docs.github.com/rest' });
}

function page(key: string, all: readonly unknown[], query: URLSearchParams, response: ServerResponse): void {
  const size = Math.min(Number(query.get('per_page') ?? PAGE), 100);
  const at = Number(query.get('page') ?? 1);
  const hasNext = at * size < all.length;
  const link = hasNext ? { link: `<https://api.github.com/next?page=${at + 1}>; rel="next"` } : undefined;
  sendJson(response, 200, { total_count: all.length, [key]: all.slice((at - 1) * size, at * size) }, link);
}
