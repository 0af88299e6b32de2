/** Shows where notices go, without what must stay secret: the path of a webhook is as good as a password. */
import { basename } from 'node:path';
import type { AlertTarget } from '../protocol/index.js';

export function showTarget(target: AlertTarget): string {
  switch (target.via) {
    case 'webhook':
      return 'text' in target.url ? `${originOf(target.url.text)}/…` : 'a URL that is kept secret';
    case 'command':
      return basename(target.argv[0]!);
    case 'email':
      return target.to.join(', ');
  }
}

function originOf(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return 'no URL';
  }
}
