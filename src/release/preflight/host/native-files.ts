/**
 * Decides which files of a package are to load: `build/Release` has what was made for this host, `prebuilds` has one for each
 * kind of host, of which one must do.
 */
import { basename } from 'node:path';
import { within } from '../words.js';

export interface NativeModule {
  /** Of the package. */
  readonly name: string;
  /** One of them has to load. */
  readonly files: readonly string[];
}

export interface RuntimeFacts {
  readonly version: string;
  /** The number of its ABI. */
  readonly modules: string;
  /** `linux-x64`. */
  readonly platform: string;
  readonly libc: 'glibc' | 'musl';
}

/** What is left over from building, and what Node.js does not load. */
const LEFTOVER =
  /\/obj\.target\/|\/build\/(?:Debug|node_gyp_bins)\/|\/(?:deps|test|tests|fixtures)\/|electron|node-webkit/;

export function candidatesOf(
  folder: string,
  files: readonly string[],
  runtime: RuntimeFacts,
): NativeModule[] {
  const groups = new Map<string, { name: string; files: string[] }>();
  for (const file of files) {
    const path = `/${within(folder, file)}`;
    if (LEFTOVER.test(path) || isForOther(path, runtime)) continue;
    const name = packageOf(path);
    // Each that was built here is one that something requires.
    const id = path.includes('/build/Release/') ? path : name;
    const group = groups.get(id) ?? { name, files: [] };
    group.files.push(file);
    groups.set(id, group);
  }
  // What was built here is taken before any prebuilt one.
  const all = [...groups];
  const built = new Set(all.filter(([id, { name }]) => id !== name).map(([, { name }]) => name));
  return all.filter(([id, { name }]) => id !== name || !built.has(name)).map(([, group]) => group);
}

function packageOf(path: string): string {
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
  return name ?? basename(path);
}

const PLATFORM =
  /(?:^|[/._-])(linux|darwin|win32|freebsd|android|openbsd|sunos|aix)[-_](x64|ia32|arm64|arm|ppc64|s390x|riscv64|loong64|[a-z0-9+]+)/g;

function isForOther(path: string, { modules, platform, libc }: RuntimeFacts): boolean {
  const places = [...path.matchAll(PLATFORM)].map(([, system, machine]) => `${system}-${machine}`);
  const [system] = platform.split('-');
  if (places.some((place) => place !== platform && !(place.startsWith(`${system}-`) && place.includes('+'))))
    return true;
  const name = basename(path);
  const abi = /(?:^|[._-])abi(\d+)(?=[._-])/.exec(name)?.[1];
  if (abi !== undefined && abi !== modules && path.includes('/prebuilds/')) return true;
  if (libc === 'glibc') return /musl/.test(path);
  return /(?:^|[._-])(?:glibc|gnu)(?=[._-]|$)/.test(name);
}

/** In the words of the loader, and what they mean. */
export function wordLoadError(error: string, version: string): string {
  const [, built, wanted] =
    /NODE_MODULE_VERSION\s+(\d+)[\s\S]*?NODE_MODULE_VERSION\s+(\d+)/.exec(error) ?? [];
  if (built !== undefined) return `was built for another Node (ABI ${built}, this is ${wanted})`;
  const library = /(\S+\.so[.\d]*): cannot open shared object file/.exec(error)?.[1];
  if (library !== undefined) return `needs the library ${basename(library)}, which is not installed`;
  const symbols = /version [`'](\w+_[\d.]+)' not found/.exec(error)?.[1];
  if (symbols !== undefined)
    return `needs ${symbols.replace('_', ' ')}, which is newer than what is installed`;
  if (
    /invalid ELF header|wrong ELF class|not a mach-o|mach-o file|file too short|incompatible architecture/i.test(
      error,
    )
  )
    return 'was built for another kind of machine, or is broken';
  const symbol = /undefined symbol: (\w+)/.exec(error)?.[1];
  if (symbol !== undefined)
    return `was built for another Node (it wants ${symbol}, which ${version} does not have)`;
  if (error.startsWith('the process')) return `cannot be loaded: ${error}`;
  return 'cannot be loaded';
}
