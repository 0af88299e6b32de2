/** How much an archive may ask for. All of them can be set; the defaults hold for an application with its dependencies. */
export interface ArchiveLimits {
  /** Files, folders and links. @default 200000 */
  readonly maxEntries: number;
  /** Of all files together, unpacked. @default 4294967296 (4 GB) */
  readonly maxTotalBytes: number;
  /** Unpacked bytes for each packed one, once more than `ratioFromBytes` are unpacked. @default 100 */
  readonly maxRatio: number;
  /** Where little is unpacked, a high ratio is no harm. @default 16777216 (16 MB) */
  readonly ratioFromBytes: number;
  /** Folders within folders, the file itself included. @default 64 */
  readonly maxDepth: number;
  /** Of one part of a path; file systems take 255. @default 255 */
  readonly maxNameBytes: number;
  /** Of a whole path, and of the target of a link. @default 1024 */
  readonly maxPathBytes: number;
}

export const DEFAULT_LIMITS: ArchiveLimits = {
  maxEntries: 200_000,
  maxTotalBytes: 4 * 1024 ** 3,
  maxRatio: 100,
  ratioFromBytes: 16 * 1024 ** 2,
  maxDepth: 64,
  maxNameBytes: 255,
  maxPathBytes: 1024,
};
