/** One entry as an archive tells of it, whatever the format. */
export interface ArchiveEntry {
  /** As it stands there. */
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'device' | 'fifo' | 'socket';
  /** Permissions and the three special bits: 0o7777. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Of a link. */
  readonly target?: string;
  /** Seconds since 1970; undefined where it is not known. */
  readonly modifiedAt: number | undefined;
}

export interface ArchiveMember {
  readonly entry: ArchiveEntry;
  /** Of a file: to be read to its end before the next member. */
  readonly content: AsyncIterable<Buffer>;
}

const EXECUTABLE = 0o111;

/** Files are 0644 or 0755, whatever they were. */
export function fileMode({ mode }: ArchiveEntry): number {
  return mode & EXECUTABLE ? 0o755 : 0o644;
}

/** Never before 1970, never after now: builds compare times. */
export function saneTime(modifiedAt: number | undefined, nowSeconds: number): number {
  if (modifiedAt === undefined || !Number.isFinite(modifiedAt)) return nowSeconds;
  return Math.min(Math.max(Math.floor(modifiedAt), 0), nowSeconds);
}
