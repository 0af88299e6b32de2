/** Finds the hosts that a value names, in URLs, in `host:port`, and by the name of its key. */
import type { Setting } from './policy-facts.js';

const URL_HOSTS = /[a-z][a-z0-9+.-]*:\/\/(?:[^/@\s]*@)?([^/?#\s]+)/gi;
const HOST_KEY =
  /(?:^|[._])(?:host|hostname|hosts|server|servers|addr|address|endpoint|url|uri|brokers?|nodes)(?:[._]\d+)?$/i;
const HOST = /^(\[[\da-f:.]+\]|[\da-f]*:[\da-f]*:[\da-f:.]*|[\da-z](?:[\da-z.-]*[\da-z])?)(?::\d{1,5})?$/i;
/** Of a connection string: `host=db port=5432`, `Server=db;Database=x`. */
const WORD_HOSTS = /(?:^|[\s;])(?:host|server|hostaddr|data source)\s*=\s*([^\s;,]+)/gi;

export function hostsOf({ key, value }: Setting): string[] {
  const found = [...value.matchAll(URL_HOSTS)].flatMap(([, hosts]) => hosts!.split(','));
  found.push(...[...value.matchAll(WORD_HOSTS)].map(([, host]) => host!));
  const name = key.replace(/([a-z])([A-Z])/g, '$1_$2');
  if (HOST_KEY.test(name) || /:\d{1,5}$/.test(value)) found.push(...value.split(','));
  return found.flatMap((each) => {
    const host = HOST.exec(each.trim())?.[1];
    return host === undefined ? [] : [host.replace(/^\[|\]$/g, '').toLowerCase()];
  });
}

export function isLocal(host: string): boolean {
  return /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|::1|0\.0\.0\.0|::)$/.test(host);
}

/** `*` stands for any part of the name; a name alone also for everything below it. */
export function matchesHost(host: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase();
  if (!wanted.includes('*')) return host === wanted || host.endsWith(`.${wanted}`);
  const source = wanted.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, String.raw`\$&`));
  return new RegExp(`^${source.join('.*')}$`).test(host);
}
