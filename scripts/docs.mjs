/**
 * `npm run docs` writes docs/configuration.md, docs/cli.md and docs/api.md from their templates in docs/templates/ and
 * from the code: the types and schemas of the configuration, the declarations of the commands, the table of routes.
 * `npm run docs -- --check` writes nothing and fails where a page is not what it would write.
 *
 * A template says `<!-- name: words -->` where something is filled in. What no template asks for is an error, so that
 * a new key, command or route cannot go undocumented.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { register } from 'tsx/esm/api';
import { ROOT } from './setup.mjs';

register(); // the pages are made from the sources, not from a build of them
const { apiParts } = await import('./docs/api.mjs');
const { cliParts } = await import('./docs/cli.mjs');
const { configurationParts } = await import('./docs/configuration.mjs');

/** Parts: name of the placeholder -> what stands there, given its words; `finish` throws where something is missing. */
const PAGES = { configuration: configurationParts, cli: cliParts, api: apiParts };

const isCheck = process.argv.includes('--check');
const stale = [];
for (const [page, createParts] of Object.entries(PAGES)) {
  const path = `docs/${page}.md`;
  const text = await render(
    readFileSync(join(ROOT, `docs/templates/${page}.md`), 'utf8'),
    await createParts(),
  );
  if (readOrEmpty(path) === text) continue;
  stale.push(path);
  if (!isCheck) writeFileSync(join(ROOT, path), text);
}
if (isCheck && stale.length > 0) {
  console.error(`Not what its sources make: ${stale.join(', ')}\n  hint: npm run docs`);
  process.exitCode = 1;
} else if (stale.length > 0) console.log(`Wrote ${stale.join(', ')}`);

async function render(template, { parts, finish }) {
  const pieces = await Promise.all(
    template.split(/^(<!-- \w+(?:: .+)? -->)$/m).map(async (piece) => {
      const [, name, words = ''] = /^<!-- (\w+)(?:: (.+))? -->$/.exec(piece) ?? [];
      if (name === undefined) return piece;
      if (!parts[name]) throw new Error(`docs/templates: there is no part "${name}"`);
      return parts[name](words);
    }),
  );
  finish();
  return format(pieces.join(''), { ...(await resolveConfig(join(ROOT, 'README.md'))), parser: 'markdown' });
}

function readOrEmpty(path) {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return ''; // not written yet
  }
}
