/** A file at a URL, whose checksum is configured or lies beside it. */
import type { ReleaseTarget, SourceSpec } from '../../protocol/index.js';
import type { StoredArtifact } from '../artifact-store.js';
import type { BuildChoice } from '../job.js';
import { bringFile, type Depot } from './depot.js';
import { parseUrl } from './place.js';
import { showUrl } from './redactor.js';
import type { Scene } from './scene.js';
import { candidate, found, nothing, type Finding, type Source } from './source.js';
import { readSums } from './web/checksum.js';
import type { Ask } from './web/exchange.js';
import type { Web } from './web/web.js';
import { fillPlaces } from './words.js';

type HttpSpec = Extract<SourceSpec, { type: 'http' }>;

/** With what was secret of it. */
interface Known {
  readonly url: string;
  readonly sha256: HttpSpec['sha256'];
  readonly headers: Readonly<Record<string, string>>;
}

const PLACE = /\{\w+\}/;

export class HttpSource implements Source {
  readonly #web: Web;
  readonly #template: string;
  readonly #sha256: HttpSpec['sha256'];
  readonly #depot: Depot;
  /** For the origin of the build alone. */
  readonly #headers: Readonly<Record<string, string>>;

  private constructor(web: Web, { url, sha256, headers }: Known, depot: Depot) {
    this.#web = web;
    this.#template = url;
    this.#sha256 = sha256;
    this.#headers = headers;
    this.#depot = depot;
  }

  static async open(web: Web, spec: HttpSpec, depot: Depot): Promise<HttpSource> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(spec.headers))
      headers[name.toLowerCase()] = (await web.scene.secret(`the header ${name}`, value))!;
    const { sha256 } = spec;
    const url = typeof spec.url === 'string' ? spec.url : (await web.scene.secret('source.url', spec.url))!;
    return new HttpSource(web, { url, sha256, headers }, depot);
  }

  async find({ version, commit, ref }: ReleaseTarget): Promise<Finding> {
    const place = Object.fromEntries(
      Object.entries({ version, commit, ref }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
    const url = this.#urlOf('source.url', this.#template, place);
    const sha256 = await this.#checksumFor(url, place);
    if (typeof sha256 !== 'string') return sha256;
    const row = { origin: 'http', name: showUrl(url), archive: nameOf(url), url: showUrl(url) };
    const choice: BuildChoice = {
      from: showUrl(url),
      commit: commit?.length === 40 ? commit : null,
      version: version ?? null,
      identity: null,
      sha256,
      place,
    };
    const rows = (status: string, verdict: string, isChosen: boolean): ReturnType<typeof candidate>[] => [
      candidate({ ...row, status, verdict, isChosen }),
    ];
    if (await this.#depot.store.find(sha256))
      return found(choice, rows('stored', 'chosen: a build with this checksum is in the store', true));
    const { status } = await this.#web.probe(this.#ask(url, url));
    if (status === 200) return found(choice, rows('200', 'chosen', true));
    const verdict = `the server answered ${status}`;
    if (status !== 404 && status !== 410) throw this.#refusal(status, url);
    return nothing(
      `${showUrl(url)} is not there (${status})`,
      'publish the build there, or correct source.url',
      rows(`${status}`, verdict, false),
    );
  }

  async bring(choice: BuildChoice): Promise<StoredArtifact> {
    const url = this.#urlOf('source.url', this.#template, choice.place);
    return bringFile(this.#web, this.#depot, choice, this.#ask(url, url), {
      checksums: [],
      refuse: ({ status }) => this.#refusal(status, url),
    });
  }

  async #checksumFor(build: URL, place: Readonly<Record<string, string>>): Promise<string | Finding> {
    const sha256 = this.#sha256;
    if ('is' in sha256) return sha256.is.toLowerCase();
    const url = this.#urlOf('source.sha256.url', sha256.url, place);
    const { status, text } = await this.#web.read(this.#ask(url, build));
    if (status === 404 || status === 410)
      return nothing(
        `the checksum ${showUrl(url)} is not there (${status})`,
        'publish it beside the build, as sha256sum prints it',
      );
    if (status !== 200) throw this.#refusal(status, url);
    const hex = readSums(text, nameOf(build));
    return (
      hex ??
      nothing(
        `${showUrl(url)} has no sha256 of ${nameOf(build)}`,
        'write it as sha256sum prints it: the checksum, two blanks, the name of the file',
      )
    );
  }

  #ask(url: URL, build: URL): Ask {
    return { url, credentials: url.origin === build.origin ? this.#headers : {} };
  }

  #urlOf(what: string, template: string, place: Readonly<Record<string, string>>): URL {
    const { scene } = this.#web;
    noteSecrets(template, scene);
    const encoded = Object.fromEntries(
      Object.entries(place).map(([key, value]) => [key, encodeURIComponent(value)]),
    );
    const url = fillPlaces(template, encoded);
    if ('filled' in url) return parseUrl(what, url.filled, scene);
    throw scene.error(
      'bad-request',
      `${what} wants a {${url.missing}}, and none is asked for`,
      `release by --${url.missing}`,
    );
  }

  #refusal(status: number, url: URL): Error {
    const fail = (fact: string, hint: string): Error =>
      this.#web.scene.error('source-failed', `${fact} (${status})`, hint);
    if (status === 401 || status === 403)
      return Object.keys(this.#headers).length === 0 && url.username === ''
        ? fail(`${showUrl(url)} is not for everyone`, 'set source.headers, with what the server wants to see')
        : fail(
            `${url.host} does not accept what source.headers says for ${url.pathname}`,
            'see that the token or password in it is still valid',
          );
    return fail(`${showUrl(url)} cannot be fetched`, 'open that URL by hand to see what the server says');
  }
}

/** What stands in a query by itself is a secret; what is filled in is none. */
function noteSecrets(template: string, scene: Scene): void {
  if (!URL.canParse(template)) return;
  const url = new URL(template);
  for (const [name, value] of [...url.searchParams]) if (PLACE.test(value)) url.searchParams.delete(name);
  scene.redactor.addUrl(url);
}

function nameOf(url: URL): string {
  return decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
}
