/** Panics of Go and of Rust. */
import { baseOf, type Frame } from './frame.js';
import type { Trace } from './trace.js';

const GO_HEAD = /^(?:.*: )?(?:panic: |(fatal error): |panic serving \S+: )(.*)$/;
const GO_KINDS = /^(runtime error|interface conversion|main\.\w+|[\w/.]*\.\w+)(?:: |\{)/;
const GO_FUNCTION =
  /^(?:created by )?((?:[\w.~-]+\/)*[\w~-]+\.[\w.*()$·[\]-]+?)(?:\(.*\))?(?: in goroutine \d+)?$/;
const GO_FILE = /^\t(\S.*):(\d+)(?: \+0x[\da-f]+)?$/;
const GO_NOT_OWN = /^(?:runtime|net|net\/http|reflect|sync|testing|os|io|context|database\/sql)\.|^panic$/;
const GO_NOT_OWN_FILE = /\/(?:go\/src|pkg\/mod|vendor|libexec\/src)\//;

export function readGoPanic(lines: readonly string[]): Trace | null {
  const found = lines[0] === undefined ? null : GO_HEAD.exec(lines[0]);
  if (!found) return null;
  const [, fatal, text = ''] = found;
  if (!fatal && !lines.some((line) => line.startsWith('goroutine ')) && !lines[0]!.startsWith('panic: '))
    return null;
  const kind = GO_KINDS.exec(text);
  return {
    type: fatal ?? (kind ? `panic: ${kind[1]}` : 'panic'),
    message: text.replace(/ \[recovered\]$/, ''),
    frames: lines.flatMap((line, index) => goFrame(line, lines[index + 1]) ?? []),
    causes: [],
  };
}

function goFrame(line: string, below: string | undefined): Frame | null {
  const file = below === undefined ? null : GO_FILE.exec(below);
  const called = file && GO_FUNCTION.exec(line);
  if (!called) return null;
  const name = called[1]!.replace(/\.func\d+(?:\.\d+)*/g, '.func');
  return {
    name,
    place: `${baseOf(file[1]!)}:${file[2]}`,
    isOwn: !GO_NOT_OWN.test(name) && !GO_NOT_OWN_FILE.test(file[1]!) && !line.startsWith('created by '),
  };
}

const RUST_HEAD = /^thread '.*?' (?:\(\d+\) )?panicked at (?:'(.*)', )?(\S+?):(\d+):\d+:?$/;
const RUST_FUNCTION = /^\s*\d+: +(?:0x[\da-f]+ - )?(\S.*)$/;
const RUST_FILE = /^\s+at (\S.*?):(\d+)(?::\d+)?$/;
const RUST_NOT_OWN =
  /^(?:<?(?:std|core|alloc|tokio|futures\w*|hyper|__rust\w*)::|rust_begin|__libc|_start|main$|<unknown>)/;

export function readRustPanic(lines: readonly string[]): Trace | null {
  const head = lines.findIndex((line) => RUST_HEAD.test(line));
  const found = head === -1 ? null : RUST_HEAD.exec(lines[head]!);
  if (!found) return null;
  const [, quoted, file = '', line = ''] = found;
  return {
    type: 'panic',
    message: quoted ?? lines[head + 1]?.trim() ?? '',
    frames: lines.flatMap((each, index) => rustFrame(each, lines[index + 1]) ?? []),
    causes: [],
    place: `${baseOf(file)}:${line}`,
  };
}

function rustFrame(line: string, below: string | undefined): Frame | null {
  const called = RUST_FUNCTION.exec(line);
  const file = called && below !== undefined ? RUST_FILE.exec(below) : null;
  if (!file) return null;
  const name = called![1]!.replace(/::h[\da-f]{16}$/, '');
  return {
    name,
    place: `${baseOf(file[1]!)}:${file[2]}`,
    isOwn: !RUST_NOT_OWN.test(name) && !/^\/rustc\/|\/\.cargo\/registry\//.test(file[1]!),
  };
}
