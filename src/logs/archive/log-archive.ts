/** Reads a compressed log, open, as if it was not: offsets are those of the lines. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Mark } from '../log-index.js';
import type { LogMarks, LogText } from '../log-sources.js';
import { openToRead } from '../open-to-read.js';
import { HEAD_BYTES, parseHead, type MemberHead } from './format.js';
import { decodeMarks } from './marks.js';

interface Member extends MemberHead {
  /** Where it begins in the file. */
  readonly at: number;
}

export class LogArchive implements LogText, LogMarks {
  readonly inode: number;
  readonly birth: bigint;
  readonly size: number;
  readonly #fd: number;
  readonly #first: Member;
  #all: Member[] | undefined;
  /** Two: what is read often lies in both. */
  #inflated: readonly { member: Member; lines: Buffer }[] = [];
  #decoded: { member: Member; marks: Mark[] } | undefined;

  private constructor(fd: number, first: Member) {
    this.#fd = fd;
    this.#first = first;
    ({ inode: this.inode, birth: this.birth, totalBytes: this.size } = first);
  }

  /** undefined: there is none, or not one that upkeep made. */
  static open(path: string): LogArchive | undefined {
    const fd = openToRead(path);
    if (fd === undefined) return undefined;
    const first = readHead(fd, 0);
    if (first) return new LogArchive(fd, first);
    closeSync(fd);
    return undefined;
  }

  get writtenAt(): number {
    return fstatSync(this.#fd).mtimeMs;
  }

  bytes(from: number, to: number): Buffer {
    const parts = this.#between(from, to).map((member) =>
      this.#linesOf(member).subarray(Math.max(0, from - member.offset), to - member.offset),
    );
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  first(): Mark | undefined {
    return this.#marksOf(this.#first)[0];
  }

  marks(from: number, to: number): Mark[] {
    const all = this.#between(from, Math.max(to, from + 1)).flatMap((member) => this.#marksOf(member));
    const start = all.findLastIndex(({ offset }) => offset <= from);
    const end = all.findIndex(({ offset }) => offset >= to);
    return all.slice(Math.max(0, start), end < 0 ? undefined : Math.max(end, start + 1));
  }

  *backwards(): Generator<Mark> {
    for (const member of this.#members().toReversed()) yield* this.#marksOf(member).toReversed();
  }

  since(at: number): Mark | undefined {
    const member = this.#members().find(({ latest }) => latest >= at);
    return member && this.#marksOf(member).find((mark) => mark.at >= at);
  }

  range(): { from: number; to: number } | undefined {
    const marked = this.#members().filter(({ latest }) => latest > 0);
    if (marked.length === 0) return undefined;
    const from = marked.reduce((least, { earliest }) => Math.min(least, earliest), Infinity);
    return { from, to: marked.reduce((most, { latest }) => Math.max(most, latest), 0) };
  }

  close(): void {
    closeSync(this.#fd);
  }

  #between(from: number, to: number): Member[] {
    return this.#members().filter(({ offset, lineBytes }) => offset < to && offset + lineBytes > from);
  }

  #members(): readonly Member[] {
    if (this.#all) return this.#all;
    this.#all = [];
    for (let next: Member | undefined = this.#first; next; next = readHead(this.#fd, next.at + next.length))
      this.#all.push(next);
    return this.#all;
  }

  #linesOf(member: Member): Buffer {
    const kept = this.#inflated.find((each) => each.member === member);
    if (kept) return kept.lines;
    // In one piece: many would be garbage.
    const options = { chunkSize: Math.max(64, member.lineBytes + 1) };
    const lines = gunzipSync(this.#raw(member.at, member.length), options);
    this.#inflated = [...this.#inflated.slice(-1), { member, lines }];
    return lines;
  }

  #marksOf(member: Member): readonly Mark[] {
    if (this.#decoded?.member !== member) {
      const bytes = this.#raw(member.at + member.marksAt, member.marksBytes);
      this.#decoded = { member, marks: decodeMarks(bytes, member.offset) };
    }
    return this.#decoded.marks;
  }

  #raw(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(this.#fd, bytes, 0, length, at));
  }
}

function readHead(fd: number, at: number): Member | undefined {
  const bytes = Buffer.alloc(HEAD_BYTES);
  const head = readSync(fd, bytes, 0, HEAD_BYTES, at) === HEAD_BYTES ? parseHead(bytes) : undefined;
  return head && head.length > HEAD_BYTES ? { ...head, at } : undefined;
}
