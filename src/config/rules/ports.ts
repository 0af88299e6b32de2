/** A port belongs to one service. */
import type { PortSpec } from '../../protocol/index.js';
import type { Path, Report } from '../diagnostic.js';
import type { Pair } from './dependencies.js';

interface Claim {
  readonly service: string;
  readonly port: PortSpec;
  readonly path: Path;
}

export function checkPorts(pairs: readonly Pair[], report: Report): void {
  const claims: Claim[] = [];
  for (const { draft, spec } of pairs) {
    const offset = draft.service.port === undefined ? 0 : 1;
    spec.ports.forEach((port, index) => {
      const part: Path = index < offset ? ['port'] : ['ports', index - offset];
      const claim = { service: spec.name, port, path: draft.place(part) };
      const earlier = claims.find((other) => isSame(other.port, port));
      if (earlier) reportTwice(earlier, claim, report);
      claims.push(claim);
    });
  }
}

/** No address means every address. */
function isSame(a: PortSpec, b: PortSpec): boolean {
  const any = [null, '0.0.0.0', '::'];
  return a.port === b.port && (a.host === b.host || any.includes(a.host) || any.includes(b.host));
}

function reportTwice(earlier: Claim, { service, port, path }: Claim, report: Report): void {
  const isOwn = earlier.service === service;
  report({
    path,
    message: isOwn
      ? `port ${port.port} is listed twice`
      : `port ${port.port} belongs to "${earlier.service}" already`,
    hint: isOwn ? 'remove one of the two' : 'choose another port; copies of one program are instances: 2',
  });
}
