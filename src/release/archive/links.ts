/** Where symbolic links lead, once all of them are known: through each other, too. None may leave the archive. */
import { foldedPath } from './name.js';
import { refusal, type Refusal } from './refusal.js';

/** As many as Linux follows. */
const MAX_HOPS = 40;

export interface SymbolicLink {
  readonly parts: readonly string[];
  readonly target: string;
}

/** What can be said of a target alone. */
export function judgeTarget(target: string, maxBytes: number): Refusal | undefined {
  const is = `is a link to ${JSON.stringify(target.slice(0, 100))}, which`;
  if (target === '') return refusal('link-target', 'is a link without a target');
  if (target.startsWith('/')) return refusal('link-escape', `${is} is absolute`);
  if (/[\p{Cc}\u2028\u2029]/u.test(target)) return refusal('link-target', `${is} has a control character`);
  if (/^[a-z]:/i.test(target)) return refusal('link-target', `${is} starts with a drive letter`);
  if (target.includes('\\')) return refusal('link-target', `${is} has a backslash`);
  if (Buffer.byteLength(target) > maxBytes) {
    return refusal('link-target', `${is} is longer than ${maxBytes} bytes`);
  }
  return undefined;
}

/** The first link that leads out of the archive, or round in circles. */
export function findEscape(
  links: readonly SymbolicLink[],
): { link: SymbolicLink; refusal: Refusal } | undefined {
  const targets = new Map(links.map(({ parts, target }) => [foldedPath(parts), target]));
  for (const link of links) {
    const found = follow(link, new Map()) ?? follow(link, targets);
    if (found) return { link, refusal: found };
  }
  return undefined;
}

/** With no targets: as if what it passes were folders, which it may become one day. */
function follow({ parts, target }: SymbolicLink, targets: ReadonlyMap<string, string>): Refusal | undefined {
  const at = parts.slice(0, -1);
  const ahead = target.split('/').reverse();
  let hops = 1;
  for (let part = ahead.pop(); part !== undefined; part = ahead.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.length === 0)
        return refusal('link-escape', `is a link to ${JSON.stringify(target)}, out of the archive`);
      at.pop();
      continue;
    }
    at.push(part);
    const next = targets.get(foldedPath(at));
    if (next === undefined) continue;
    if (++hops > MAX_HOPS)
      return refusal('link-loop', `is a link to ${JSON.stringify(target)}, which never ends`);
    at.pop();
    ahead.push(...next.split('/').reverse());
  }
  return undefined;
}
