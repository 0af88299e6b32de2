/** Where tests resolve and fetch builds: a home of its own, a group, and all that was said meanwhile. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  UpkeepError,
  type ReleaseCandidate,
  type ReleaseSpec,
  type ReleaseTarget,
  type SourceSpec,
} from '../../src/protocol/index.js';
import { ArtifactStore } from '../../src/release/artifact-store.js';
import type { BuildChoice, StageContext, StageJob, StageResult } from '../../src/release/job.js';
import { fetchBuild, resolveBuild } from '../../src/release/source/index.js';

export interface Tried extends StageResult {
  readonly error?: UpkeepError;
}

export class SourceBench implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'upkeep-source-'));
  readonly home = join(this.folder, 'home');
  readonly store = new ArtifactStore(this.home);
  readonly said: string[] = [];
  readonly noted: StageResult[] = [];
  /** Everything that came out of stages: results, errors, what was said. */
  readonly words: string[] = [];
  readonly giveUp = new AbortController();
  onSay: (text: string) => void = () => undefined;

  get candidates(): readonly ReleaseCandidate[] {
    return this.noted.at(-1)?.candidates ?? [];
  }

  job(source: SourceSpec, target: ReleaseTarget, choice: BuildChoice | null = null): StageJob {
    const spec = { name: 'web', source } as ReleaseSpec; // sources look at nothing else of it
    return {
      id: '1',
      kind: 'release',
      home: this.home,
      spec,
      target,
      waive: [],
      choice,
      build: null,
      artifact: null,
      folder: null,
      previous: null,
    };
  }

  resolve(source: SourceSpec, target: ReleaseTarget = {}): Promise<Tried> {
    return this.#try(() => resolveBuild(this.job(source, target), this.#context()));
  }

  fetch(source: SourceSpec, target: ReleaseTarget = {}, choice: BuildChoice | null = null): Promise<Tried> {
    return this.#try(() => fetchBuild(this.job(source, target, choice), this.#context()));
  }

  /** One after the other, as a release does. */
  async bring(source: SourceSpec, target: ReleaseTarget = {}): Promise<Tried> {
    const { error, choice } = await this.resolve(source, target);
    return error ? { error } : this.fetch(source, target, choice);
  }

  /** Everything below the home, as text. */
  written(): string {
    if (!existsSync(this.home)) return '';
    const paths = readdirSync(this.home, { recursive: true, encoding: 'utf8' });
    const files = paths.filter((path) => statSync(join(this.home, path)).isFile());
    return [...paths, ...files.map((path) => readFileSync(join(this.home, path), 'latin1'))].join('\n');
  }

  /** What nobody finished or cleared away. */
  leftovers(): string[] {
    const incoming = join(this.home, 'store', 'incoming');
    return existsSync(incoming) ? readdirSync(incoming) : [];
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #context(): StageContext {
    return {
      say: (text) => {
        this.said.push(text);
        this.words.push(text);
        this.onSay(text);
      },
      note: (result) => {
        this.noted.push(result);
        this.words.push(JSON.stringify(result));
      },
      signal: this.giveUp.signal,
    };
  }

  async #try(work: () => Promise<StageResult>): Promise<Tried> {
    try {
      const result = await work();
      this.words.push(JSON.stringify(result));
      return result;
    } catch (error) {
      if (!(error instanceof UpkeepError)) throw error;
      this.words.push(
        error.stack ?? '',
        JSON.stringify([error.message, error.hint, error.details, String(error.cause)]),
      );
      return { error };
    }
  }
}
