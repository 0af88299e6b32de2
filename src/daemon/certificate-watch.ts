/** Says when a certificate that a service shows where its checks ask by https expires soon, and when there is another one. */
import { expiresSoon, nameOf, tlsPlaces, type Certificate, type TlsPlace } from '../core/index.js';
import { DEFAULT_HEALTH, type Level, type NewEvent, type ServiceSpec } from '../protocol/index.js';

/** At most so often is a place looked at, and one that has not answered. */
export const LOOK_MS = 6 * 3_600_000;
export const RETRY_MS = 10 * 60_000;
/** Services start in crowds. */
const SOON_MS = 1000;

export interface CertificateWatchHost {
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  readonly specs: () => readonly ServiceSpec[];
  /** Asked only of those whose checks ask by https. */
  readonly levelOf: (service: string) => Level;
  readonly read: (place: TlsPlace) => Promise<Certificate | undefined>;
  readonly emit: (event: NewEvent) => void;
  readonly onInternalError: (error: unknown) => void;
}

interface Asked {
  readonly service: string;
  readonly place: TlsPlace;
  readonly withinMs: number;
  readonly serves: boolean;
}

export class CertificateWatch {
  readonly #host: CertificateWatchHost;
  readonly #timer: NodeJS.Timeout;
  /** By service and place: when it was looked at last, and for how long that is enough. */
  readonly #looks = new Map<string, { readonly at: number; readonly enoughMs: number }>();
  /** Of specifications, which never change themselves. */
  readonly #places = new WeakMap<ServiceSpec, readonly TlsPlace[]>();
  readonly #told: Set<string>;
  #soon: NodeJS.Timeout | undefined;
  #isAskedAgain = false;
  #isOver = false;

  /** `toldBefore`: of which service and place a former daemon has said that it expires. */
  constructor(
    host: CertificateWatchHost,
    toldBefore: readonly (readonly [service: string, place: string])[],
  ) {
    this.#host = host;
    this.#told = new Set(toldBefore.map((words) => words.join(' ')));
    this.#timer = setInterval(() => this.look(), RETRY_MS).unref();
  }

  /** A service may have begun to serve, or show another one: looks soon, wherever it is time. */
  look(): void {
    if (this.#isOver) return;
    if (this.#soon) this.#isAskedAgain = true;
    else this.#soon = setTimeout(() => void this.lookNow(), SOON_MS).unref();
  }

  /** The same without a pause. Resolves when all were looked at. */
  async lookNow(): Promise<void> {
    this.#isAskedAgain = false;
    try {
      await this.#lookAtAll();
    } catch (error) {
      this.#host.onInternalError(error);
    } finally {
      this.#soon = undefined;
      if (this.#isAskedAgain) this.look();
    }
  }

  end(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    clearTimeout(this.#soon);
  }

  /** One after the other: nobody is in a hurry. */
  async #lookAtAll(): Promise<void> {
    const asked = new Map(this.#asked().map((each) => [keyOf(each), each]));
    this.#dropOthers(asked);
    for (const [key, each] of asked) {
      if (!each.serves || !this.#isDue(key)) continue;
      const certificate = await this.#host.read(each.place);
      if (this.#isOver) return;
      // Where there is none its check says what is wrong.
      this.#looks.set(key, { at: this.#host.now(), enoughMs: certificate ? LOOK_MS : RETRY_MS });
      if (certificate) this.#judge(each, certificate);
    }
  }

  #isDue(key: string): boolean {
    const { at, enoughMs } = this.#looks.get(key) ?? { at: -Infinity, enoughMs: 0 };
    const since = this.#host.now() - at;
    return since < 0 || since >= enoughMs;
  }

  /** Of services that are not switched off. */
  #asked(): Asked[] {
    return this.#host.specs().flatMap((spec) => {
      const places = this.#placesOf(spec);
      const level = places.length === 0 ? 'off' : this.#host.levelOf(spec.name);
      if (level === 'off') return [];
      const withinMs = spec.health?.certificateMs ?? DEFAULT_HEALTH.certificateMs;
      const serves = level === 'up' || level === 'degraded';
      return places.map((place) => ({ service: spec.name, place, withinMs, serves }));
    });
  }

  #placesOf(spec: ServiceSpec): readonly TlsPlace[] {
    const known = this.#places.get(spec) ?? tlsPlaces(spec);
    this.#places.set(spec, known);
    return known;
  }

  #judge(asked: Asked, certificate: Certificate): void {
    const key = keyOf(asked);
    const isExpiring = expiresSoon(certificate, this.#host.now(), asked.withinMs);
    if (isExpiring === this.#told.has(key)) return;
    if (isExpiring) this.#told.add(key);
    else this.#told.delete(key);
    const shown = { subject: certificate.subject, expiresAt: new Date(certificate.expiresAt).toISOString() };
    this.#host.emit({ type: 'certificate', service: asked.service, ...asked.place, isExpiring, shown });
  }

  /** What is not asked any more is looked at anew when it is again. */
  #dropOthers(asked: ReadonlyMap<string, Asked>): void {
    for (const key of [...this.#looks.keys()]) if (!asked.has(key)) this.#looks.delete(key);
    for (const key of [...this.#told]) {
      if (asked.has(key)) continue;
      this.#told.delete(key);
      const [service = '', place = ''] = key.split(' ');
      const [, host = '', port] = /^\[?(.*?)\]?:(\d+)$/.exec(place) ?? [];
      this.#host.emit({
        type: 'certificate',
        ...{ service, host, port: Number(port), isExpiring: false, shown: null },
      });
    }
  }
}

function keyOf({ service, place }: Pick<Asked, 'service' | 'place'>): string {
  return `${service} ${nameOf(place)}`;
}
