/**
 * A commit of a git repository, as `git archive` gives it: without `.git`, without submodules, without filters of this machine. git
 * runs in a child that can ask nobody for anything; passwords of a URL reach it by its environment, never by its arguments.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReleaseTarget, SourceSpec } from '../../protocol/index.js';
import { killGroup } from '../../system/index.js';
import { extractArchive } from '../archive/extract-archive.js';
import type { StoredArtifact } from '../artifact-store.js';
import type { BuildChoice } from '../job.js';
import { bringFolder, type Depot } from './depot.js';
import { decoded } from '../../util/index.js';
import { showUrl } from './redactor.js';
import { candidate, found, nothing, type Finding, type Source } from './source.js';
import { Passing } from './web/failure.js';
import type { Web } from './web/web.js';
import { shortCommit, tagsOf } from './words.js';

type GitSpec = Extract<SourceSpec, { type: 'git' }>;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly words: string;
}

/** No `ext::`, which runs commands. */
const PROTOCOLS = 'file:git:http:https:ssh';
/** Of what the daemon was started with, a repository that is none of this. */
const NOT_PASSED_ON = /^GIT_(?!SSH|SSL|PROXY|HTTP_USER_AGENT|CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)$)/;
const HELPER = '!f() { echo "username=$UPKEEP_GIT_USER"; echo "password=$UPKEEP_GIT_PASSWORD"; }; f';
const WHOLE = /^[\da-f]{40}(?:[\da-f]{24})?$/;
const MAX_WORDS = 4000;
const PASSING =
  /could not resolve host|connection (?:refused|reset|timed out)|operation timed out|early eof|unexpected disconnect|returned error: (?:429|5\d\d)|failed to connect/i;
const ACCESS =
  /authentication failed|could not read username|could not read password|permission denied|returned error: 40[13]|access denied/i;

export class GitSource implements Source {
  readonly #web: Web;
  readonly #spec: GitSpec;
  readonly #depot: Depot;
  /** As it may be shown, and stand in arguments. */
  readonly #url: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(web: Web, spec: GitSpec, depot: Depot) {
    this.#web = web;
    this.#spec = spec;
    this.#depot = depot;
    const { url, env } = withoutSecrets(spec.url, web);
    this.#url = url;
    this.#env = env;
  }

  async find(target: ReleaseTarget): Promise<Finding> {
    const refs = await this.#refs();
    const [sha, name, fact] = choose(refs, target, this.#spec.ref);
    if (sha === null)
      return nothing(
        `${fact} is not in ${this.#url}`,
        target.commit === undefined
          ? 'push it, or see that its name is right'
          : 'give all 40 digits of the commit: a repository lists only the ends of branches and its tags',
      );
    const choice: BuildChoice = {
      from: `commit ${shortCommit(sha)}${name === null ? '' : ` (${name})`} of ${this.#url}`,
      commit: sha,
      version: target.version ?? null,
      identity: `git:${sha}`,
      sha256: null,
      place: { commit: sha },
    };
    const row = {
      origin: 'git',
      name: name ?? 'commit',
      status: shortCommit(sha),
      verdict: 'chosen',
      isChosen: true,
    };
    return found(choice, [candidate(row)]);
  }

  async bring(choice: BuildChoice): Promise<StoredArtifact> {
    const commit = choice.place.commit!;
    return bringFolder(this.#depot, choice, this.#web.scene, async (folder, room) => {
      const repository = join(room, 'repository');
      const archive = join(room, 'commit.tar');
      await this.#git(['init', '--quiet', '--bare', repository]);
      await this.#fetch(repository, commit);
      const deaf = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' }; // no filters: they are programs
      await this.#git(
        ['-C', repository, '-c', 'tar.umask=0022', 'archive', '--format=tar', `--output=${archive}`, commit],
        deaf,
      );
      await extractArchive(archive, folder, { signal: this.#web.scene.signal });
      await this.#remarkAbout(folder);
    });
  }

  /** The commit alone where the server gives it, else everything. */
  async #fetch(repository: string, commit: string): Promise<void> {
    const fetch = ['-C', repository, 'fetch', '--progress', '--no-tags', '--no-recurse-submodules'];
    const alone = await this.#try([...fetch, '--depth=1', '--', this.#url, commit]);
    if (alone.code === 0) return;
    await this.#git([...fetch, '--', this.#url, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']);
    const { code } = await this.#try(['-C', repository, 'cat-file', '-e', `${commit}^{commit}`]);
    if (code === 0) return;
    throw this.#web.scene.error(
      'artifact-not-found',
      `commit ${commit} is in no branch or tag of ${this.#url}`,
      'push it, or see that it is the right repository',
    );
  }

  /** By name; tags by what they stand for. */
  async #refs(): Promise<Map<string, string>> {
    const { stdout } = await this.#git(['ls-remote', '--', this.#url]);
    const refs = new Map<string, string>();
    for (const line of stdout.split('\n')) {
      const [sha, name] = line.split('\t');
      if (sha && name) refs.set(name.replace(/\^\{\}$/, ''), sha); // the peeled one comes later
    }
    return refs;
  }

  async #git(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return this.#web.again(async () => {
      const outcome = await this.#try(args, env);
      if (outcome.code === 0) return outcome;
      if (PASSING.test(outcome.words)) throw new Passing(`git: ${lastLine(outcome.words)}`);
      throw this.#refusal(outcome.words);
    });
  }

  #refusal(words: string): Error {
    const fail = (fact: string, hint: string): Error =>
      this.#web.scene.error('source-failed', `${fact} (git: ${lastLine(words)})`, hint);
    if (ACCESS.test(words))
      return fail(
        `${this.#url} does not let this host read it`,
        'give the user of the daemon a deploy key, or a credential helper',
      );
    if (/not found|does not exist|does not appear to be a git repository/i.test(words))
      return fail(
        `${this.#url} is no repository, or hidden`,
        'see that source.url is right, and that the user of the daemon may read it',
      );
    return fail(
      `git cannot read ${this.#url}`,
      'run git ls-remote with that URL by hand, as the user of the daemon',
    );
  }

  #try(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const { signal } = this.#web.scene;
    signal.throwIfAborted();
    // In a session of its own: there is no terminal that ssh could ask at, and all of it ends together.
    const child = spawn('git', args, {
      env: { ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let words = '';
    child.stdout.on('data', (bytes: Buffer) => (stdout += bytes.toString('utf8')));
    child.stderr.on('data', (bytes: Buffer) => {
      words = `${words}${bytes.toString('utf8')}`.slice(-MAX_WORDS);
      const [, percent] = /receiving objects:\s+(\d+)%[^\r\n]*$/i.exec(words.trimEnd()) ?? [];
      if (percent !== undefined) this.#web.scene.say(`fetching ${percent} % of the objects`);
    });
    const kill = (): void => killGroup(child.pid);
    signal.addEventListener('abort', kill, { once: true });
    return new Promise<Outcome>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          this.#web.scene.error(
            'source-failed',
            `git cannot be run (${error.code})`,
            'install git on this host',
          ),
        ),
      );
      child.once('close', (code) =>
        signal.aborted ? reject(signal.reason as Error) : resolve({ code, stdout, words }),
      );
    }).finally(() => signal.removeEventListener('abort', kill));
  }

  async #remarkAbout(folder: string): Promise<void> {
    const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8').catch(() => ''); // most have none
    if ((await read('.gitmodules')) !== '')
      this.#web.scene.remark('the repository has submodules: their folders are empty in the release');
    if (/filter=lfs/.test(await read('.gitattributes')))
      this.#web.scene.remark(
        'the repository keeps files in Git LFS: the release has pointers in their place',
      );
  }
}

/** Commit, its name where it has one, and what was looked for. */
function choose(
  refs: ReadonlyMap<string, string>,
  { commit, version, ref }: ReleaseTarget,
  usual: string,
): [sha: string | null, name: string | null, fact: string] {
  if (commit !== undefined) {
    if (WHOLE.test(commit)) return [commit, null, commit];
    const ends = new Set([...refs.values()].filter((sha) => sha.startsWith(commit)));
    return [ends.size === 1 ? [...ends][0]! : null, null, `commit ${commit}`];
  }
  const names = version === undefined ? [ref ?? usual] : tagsOf(version);
  const full = names.flatMap((name) =>
    version === undefined ? [name, `refs/heads/${name}`, `refs/tags/${name}`] : [`refs/tags/${name}`],
  );
  const name = full.find((each) => refs.has(each));
  if (name !== undefined) return [refs.get(name)!, name.replace(/^refs\/(?:heads|tags)\//, ''), name];
  if (version === undefined && WHOLE.test(names[0]!)) return [names[0]!, null, names[0]!];
  return [
    null,
    null,
    version === undefined
      ? `a branch or tag "${names[0]}"`
      : `a tag of version ${version} (${names.join(', ')})`,
  ];
}

function withoutSecrets(text: string, { scene }: Web): { url: string; env: NodeJS.ProcessEnv } {
  const env: NodeJS.ProcessEnv = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !NOT_PASSED_ON.test(name)),
  );
  // Empty: nothing is asked, not by a program either.
  Object.assign(env, {
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_ALLOW_PROTOCOL: PROTOCOLS,
    GIT_PROTOCOL_FROM_USER: '0',
    LC_ALL: 'C',
  });
  const config: [string, string][] = [
    ['core.hooksPath', '/dev/null'],
    ['http.lowSpeedLimit', '100'],
    ['http.lowSpeedTime', '60'],
  ];
  const url = URL.canParse(text) ? new URL(text) : null;
  let shown = text;
  if (url && url.password + url.username !== '' && /^https?:$/.test(url.protocol)) {
    scene.redactor.addUrl(url);
    Object.assign(env, {
      UPKEEP_GIT_USER: decoded(url.username),
      UPKEEP_GIT_PASSWORD: decoded(url.password),
    });
    config.push(['credential.helper', ''], [`credential.${url.origin}.helper`, HELPER]);
    shown = showUrl(url);
  } else if (url?.password) {
    scene.redactor.addUrl(url);
    url.password = ''; // ssh takes none
    shown = url.href;
  }
  env.GIT_CONFIG_COUNT = String(config.length);
  config.forEach(([key, value], index) =>
    Object.assign(env, { [`GIT_CONFIG_KEY_${index}`]: key, [`GIT_CONFIG_VALUE_${index}`]: value }),
  );
  return { url: shown, env };
}

function lastLine(words: string): string {
  const lines = words.split(/[\r\n]+/).filter((line) => /^(?:fatal|error|remote|ssh)|denied/i.test(line));
  return (
    lines.find((line) => line.startsWith('fatal')) ??
    lines.at(-1) ??
    words.trim().split('\n').at(-1) ??
    ''
  ).slice(0, 200);
}
