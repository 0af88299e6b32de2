/** URLs below the one that a source was given, and what stands in them that nobody may read. */
import type { Scene } from './scene.js';

/** @param what `source.url` */
export function parseUrl(what: string, text: string, scene: Scene): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^https?:$/.test(url.protocol)) {
    scene.redactor.addUrl(url);
    return url;
  }
  throw scene.error(
    'bad-request',
    `${what} is no URL of http or https`,
    `give one like https://gitlab.example.com as ${what}`,
  );
}

/** Each part of the path is encoded. */
export function below(
  base: URL,
  parts: readonly (string | number)[],
  query: Readonly<Record<string, string>> = {},
): URL {
  const url = new URL(base);
  const path = parts.map((part) => encodeURIComponent(part)).join('/');
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/${path}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}
