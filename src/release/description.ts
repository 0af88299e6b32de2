/**
 * Whether two descriptions of a group say the same, whoever has read them: what the shell of who asks gives to services is no part of
 * them, see core/environment.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import { isBaseVariable } from '../core/index.js';
import type { ReleaseSpec } from '../protocol/index.js';

export function isSameDescription(one: ReleaseSpec, other: ReleaseSpec): boolean {
  return isDeepStrictEqual(withoutShell(one), withoutShell(other));
}

export function withoutShell(spec: ReleaseSpec): ReleaseSpec {
  const services = spec.services.map((service) => {
    const own = Object.entries(service.env).filter(
      ([key, { source }]) => source !== 'shell' || !isBaseVariable(key),
    );
    return { ...service, env: Object.fromEntries(own) };
  });
  return { ...spec, services };
}
