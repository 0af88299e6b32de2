/** The same application with and without the preload prints the same: stdout, stderr, the way it ends. */
import { fileURLToPath } from 'node:url';
import { PreloadHost } from '../../../test/rig/preload-host.js';
import type { Feature } from './features.js';
import type { NodeVersion } from './versions.js';

const APPS = fileURLToPath(new URL('apps/', import.meta.url));
const ENDS = ['close', 'throw', 'reject', 'in-use', 'spawn'];
/** Node 8 tells the error of a listen() through a nextTick of its own: frames of the preload stay in its stack. */
const KNOWN: Readonly<Record<number, readonly string[]>> = { 8: ['in-use'] };

export function honest(file: string, { since = 0, args = [] as string[], ends = ENDS } = {}): Feature {
  return async (node) => {
    if (node.major < since) return '-';
    const known = ends.filter((end) => KNOWN[node.major]?.includes(end));
    for (const end of ends.filter((each) => !known.includes(each)))
      await compare(node, [...args, APPS + file], end);
    return known.length === 0 ? 'same' : `same but ${known.join()}`;
  };
}

async function compare(node: NodeVersion, args: readonly string[], end: string): Promise<void> {
  await using preload = new PreloadHost();
  const { port } = preload.hold('::');
  const hosted = await run(false);
  preload.release();
  const bare = await run(true);
  const index = bare.findIndex((line, at) => line !== hosted[at]);
  if (index < 0 && hosted.length === bare.length) return;
  throw new Error(`${end}: line ${index} is "${hosted[index]}", bare "${bare[index]}"`);

  async function run(isBare: boolean): Promise<string[]> {
    const flags = node.major < 8 ? ['--trace-warnings'] : ['--pending-deprecation', '--trace-warnings'];
    const attempt = preload.start(['node', ...flags, ...args], {
      node: node.program,
      isBare,
      env: { PORT: String(port), END: end },
    });
    const { code, signal } = await attempt.ended;
    const isMapped = attempt.said.some((line) => line.endsWith(`:: ${port} held`));
    if (!isBare && !isMapped) throw new Error(`${end}: it did not get the socket: ${attempt.stderr}`);
    const said = [attempt.stdout, '-- stderr', attempt.stderr, `-- ended ${code} ${signal}`].join('\n');
    return said
      .replaceAll(/\b\d+\b/g, (number) => (Number(number) === attempt.pid ? 'PID' : number))
      .split('\n');
  }
}
