/**
 * What an archive would make, entry by entry: whether the next one may be added to what is there. Nothing is ever written through
 * a link, because no entry may lie below one, and all symbolic links are made last, when it is known where they lead.
 */
import type { ArchiveEntry } from './entry.js';
import type { ArchiveLimits } from './limits.js';
import { findEscape, judgeTarget, type SymbolicLink } from './links.js';
import { foldedPath, isRoot, judgeName, partsOf } from './name.js';
import { refusal, type Refusal } from './refusal.js';

interface Node {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'symlink';
  /** Has an entry of its own; other folders are there because something lies in them. */
  isTold: boolean;
}

const SPECIAL_BITS = 0o7000;
const NO_FILES = {
  device: refusal('device', 'is a device'),
  fifo: refusal('fifo', 'is a FIFO'),
  socket: refusal('socket', 'is a socket'),
} as const;

export class ArchiveTree {
  readonly #limits: ArchiveLimits;
  /** By folded path. */
  readonly #nodes = new Map<string, Node>();
  readonly #symlinks: (SymbolicLink & { readonly name: string })[] = [];

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  get symlinks(): readonly SymbolicLink[] {
    return this.#symlinks;
  }

  /** Takes the entry in, or says why not. */
  admit(entry: ArchiveEntry): Refusal | undefined {
    return this.#judge(entry) ?? this.#add(entry);
  }

  /** After the last entry. */
  finish(): { name: string; refusal: Refusal } | undefined {
    const found = findEscape(this.#symlinks);
    if (!found) return undefined;
    const { name } = this.#symlinks.find((link) => link === found.link)!;
    return { name, refusal: found.refusal };
  }

  #judge(entry: ArchiveEntry): Refusal | undefined {
    const { name, kind, mode } = entry;
    const named = judgeName(name, this.#limits);
    if (named) return named;
    if (kind === 'device' || kind === 'fifo' || kind === 'socket') return NO_FILES[kind];
    if (mode & SPECIAL_BITS) {
      return refusal('special-mode', `has mode ${mode.toString(8)}, with setuid, setgid or sticky`);
    }
    if (kind !== 'folder' && name.endsWith('/'))
      return refusal('odd-name', `is a ${kind} named like a folder`);
    if (kind !== 'folder' && isRoot(name))
      return refusal('odd-name', `is a ${kind} in place of the whole folder`);
    return undefined;
  }

  #add(entry: ArchiveEntry): Refusal | undefined {
    const parts = partsOf(entry.name);
    for (let depth = 1; depth < parts.length; depth++) {
      const found = this.#enter(parts.slice(0, depth));
      if (found) return found;
    }
    const found = this.#judgeLink(entry) ?? this.#claim(parts, entry);
    if (found) return found;
    if (entry.kind === 'symlink')
      this.#symlinks.push({ name: entry.name, parts, target: entry.target ?? '' });
    return undefined;
  }

  /** A folder on the way. */
  #enter(parts: readonly string[]): Refusal | undefined {
    const path = parts.join('/');
    const key = foldedPath(parts);
    const node = this.#nodes.get(key);
    if (!node) {
      this.#nodes.set(key, { path, kind: 'folder', isTold: false });
      return undefined;
    }
    if (node.kind === 'symlink')
      return refusal('through-link', `would be written through the link "${node.path}"`);
    if (node.path !== path) return sameButForCase(node);
    if (node.kind === 'file') return refusal('file-as-folder', `lies in "${path}", which is a file`);
    return undefined;
  }

  #claim(parts: readonly string[], { kind }: ArchiveEntry): Refusal | undefined {
    const path = parts.join('/');
    const key = foldedPath(parts);
    const node = this.#nodes.get(key);
    const own = kind === 'hardlink' ? 'file' : (kind as Node['kind']);
    if (!node) {
      this.#nodes.set(key, { path, kind: own, isTold: true });
      return undefined;
    }
    if (node.path !== path) return sameButForCase(node);
    if (node.isTold) return refusal('duplicate', 'is there twice');
    if (own === 'symlink') return refusal('through-link', 'is a link, and other entries lie below it');
    if (own === 'file') return refusal('file-as-folder', 'is a file, and other entries lie below it');
    node.isTold = true;
    return undefined;
  }

  #judgeLink({ name, kind, target = '' }: ArchiveEntry): Refusal | undefined {
    if (kind === 'symlink') return judgeTarget(target, this.#limits.maxPathBytes);
    if (kind !== 'hardlink') return undefined;
    const quoted = JSON.stringify(target.slice(0, 100));
    const parts = judgeName(target, this.#limits) ? [] : partsOf(target);
    const node = this.#nodes.get(foldedPath(parts));
    const isEarlierFile =
      node?.kind === 'file' && node.path === parts.join('/') && node.path !== partsOf(name).join('/');
    return isEarlierFile
      ? undefined
      : refusal('hardlink-target', `is a hard link to ${quoted}, which is no earlier file of the archive`);
  }
}

function sameButForCase({ path }: Node): Refusal {
  return refusal('same-but-for-case', `is the same as ${JSON.stringify(path)} but for case or Unicode form`);
}
