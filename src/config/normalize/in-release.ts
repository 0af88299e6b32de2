/**
 * What lies in a release is not there while a configuration is read: it comes with the release, and `<folder>/current` stands
 * for it until then. Nothing looks for it; the preflight of the release does.
 */
import { join } from 'node:path';
import type { ServiceSpec } from '../../protocol/index.js';

export function currentOf(release: NonNullable<ServiceSpec['release']>): string {
  return join(release.folder, 'current');
}

export function isInRelease(path: string, release: ServiceSpec['release']): boolean {
  if (!release) return false;
  const current = currentOf(release);
  return path === current || path.startsWith(`${current}/`);
}
