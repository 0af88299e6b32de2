/** Decides where a service is asked over TLS, and whether a certificate that was found there expires soon. */
import type { CheckSpec, ServiceSpec } from '../protocol/index.js';

export interface TlsPlace {
  /** As people write it: an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Certificate {
  /** Whom it is for. */
  readonly subject: string;
  /** Wall clock, milliseconds. */
  readonly expiresAt: number;
}

/** What its checks ask by https; nothing is guessed of other ports. */
export function tlsPlaces({
  health,
  ready,
  reload,
}: Pick<ServiceSpec, 'health' | 'ready' | 'reload'>): TlsPlace[] {
  if (health?.certificateMs === null) return [];
  const checks = [health?.check, ready.on === 'check' ? ready.check : undefined, reload.verify?.check];
  const places = checks.flatMap((check) => placeOf(check) ?? []);
  return places.filter(
    (place, index) => places.findIndex((each) => nameOf(each) === nameOf(place)) === index,
  );
}

function placeOf(check: CheckSpec | undefined): TlsPlace | undefined {
  if (check?.on !== 'http' || !URL.canParse(check.url)) return undefined;
  const { protocol, hostname, port } = new URL(check.url);
  if (protocol !== 'https:') return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 443 };
}

export function nameOf({ host, port }: TlsPlace): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function expiresSoon({ expiresAt }: Certificate, now: number, withinMs: number): boolean {
  return expiresAt - now <= withinMs;
}
