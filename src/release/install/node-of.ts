/** Which Node the services of a release run with: what is installed has to fit it, not the one that upkeep runs with. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { UpkeepError, type ReleaseSpec, type ServiceSpec } from '../../protocol/index.js';
import { isNodeBinary, isNodeProgram, locate } from '../../system/index.js';

const run = promisify(execFile);
const ASK_MS = 10_000;

/** Of the first service that Node runs; upkeep's own where there is none. */
export function nodeOf(spec: ReleaseSpec): string {
  return nodesOf(spec)[0]?.node ?? process.execPath;
}

/** Each service that Node runs, with the binary. */
export function nodesOf(spec: ReleaseSpec): { readonly service: string; readonly node: string }[] {
  return spec.services.flatMap((service) => {
    const node = nodeOfService(service);
    return node === undefined ? [] : [{ service: service.name, node }];
  });
}

function nodeOfService({ argv, cwd, env }: ServiceSpec): string | undefined {
  const path = env.PATH?.value;
  const program = locate(argv[0]!, cwd, path);
  if (program === undefined || !statSync(program, { throwIfNoEntry: false })?.isFile()) return undefined;
  if (isNodeBinary(program)) return program;
  return isNodeProgram(program) ? locate('node', cwd, path) : undefined; // npm, next, …
}

const NodeFacts = v.object({
  /** `v20.20.2`. */
  version: v.string(),
  /** NODE_MODULE_VERSION. */
  abi: v.string(),
  platform: v.string(),
  arch: v.string(),
  libc: v.picklist(['glibc', 'musl', 'none']),
});
export type NodeFacts = v.InferOutput<typeof NodeFacts>;

const QUESTION = `
  const linux = process.platform === 'linux';
  if (linux) process.report.excludeNetwork = true;
  const glibc = linux && process.report.getReport().header.glibcVersionRuntime;
  console.log(JSON.stringify({ version: process.version, abi: process.versions.modules, platform: process.platform,
    arch: process.arch, libc: !linux ? 'none' : glibc ? 'glibc' : 'musl' }));`;

export async function askNode(node: string): Promise<NodeFacts> {
  try {
    const { stdout } = await run(node, ['-e', QUESTION], { timeout: ASK_MS, env: {} });
    return v.parse(v.pipe(v.string(), v.parseJson(), NodeFacts), stdout);
  } catch (error) {
    throw new UpkeepError(
      'release-refused',
      `Cannot install for "${node}": it does not answer as Node.js does`,
      {
        hint: `see what ${node} --version says`,
        cause: error,
      },
    );
  }
}
