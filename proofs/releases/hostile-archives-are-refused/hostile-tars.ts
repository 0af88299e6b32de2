/** Hostile tars, and what compresses them. Each begins with an honest file where that is possible: it must not stay either. */
import { gzipSync } from 'node:zlib';
import { pax, tar, tarBody, TAR_END, type TarPiece } from '../../../test/rig/tar-bytes.js';
import { kind, type HostileKind } from './kind.js';

const HONEST: TarPiece = { name: 'honest.txt', content: 'honest' };
const SECOND: TarPiece = { name: 'second.txt', content: 'second' };
const MEGABYTE = 1024 ** 2;

const symlink = (name: string, linkName: string): TarPiece => ({ name, type: '2', linkName });
const hardlink = (name: string, linkName: string): TarPiece => ({ name, type: '1', linkName });
const named = (name: string | Buffer): Buffer => tar(HONEST, { name, content: 'evil' });
const longPath = (path: string): Buffer =>
  tar(HONEST, pax([['path', path]]), { name: 'short', content: 'evil' });

const NAMES: readonly HostileKind[] = [
  kind('a path that starts with ..', 'traversal', '../evil.txt', named('../evil.txt')),
  kind('.. within a path', 'traversal', 'a/../../evil.txt', named('a/../../evil.txt')),
  kind('.. that stays within', 'traversal', 'a/../b.txt', named('a/../b.txt')),
  kind('.. at the end', 'traversal', 'a/..', named('a/..')),
  kind(
    '.. in the prefix field',
    'traversal',
    '../../evil.txt',
    tar(HONEST, { name: 'evil.txt', prefix: '../..' }),
  ),
  kind('.. in an extended header', 'traversal', '../evil.txt', longPath('../evil.txt')),
  kind(
    '.. in a long name of GNU',
    'traversal',
    '../evil.txt',
    tar({ name: 'L', type: 'L', content: '../evil.txt\0' }, SECOND),
  ),
  kind('an absolute path', 'absolute-path', '/tmp/upkeep-evil.txt', named('/tmp/upkeep-evil.txt')),
  kind('two slashes at the start', 'absolute-path', '//evil.txt', named('//evil.txt')),
  kind('a drive letter', 'drive-letter', 'C:/evil.txt', named('C:/evil.txt')),
  kind('a drive letter without a slash', 'drive-letter', 'c:evil.txt', named('c:evil.txt')),
  kind('backslashes', 'backslash', '..\\evil.txt', named('..\\evil.txt')),
  kind('no name', 'empty-name', '', named('')),
  kind('NUL in a name', 'control-character', 'good.txt\0.evil', longPath('good.txt\0.evil')),
  kind('a line break in a name', 'control-character', 'a\nb', named('a\nb')),
  kind('an escape sequence in a name', 'control-character', '\u001b[2Jevil', named('\u001b[2Jevil')),
  kind('text turned around', 'odd-name', 'a\u202etxt.exe', named('a\u202etxt.exe')),
  kind('a name that nobody sees', 'odd-name', '\u200b', named('\u200b')),
  kind('a name of dots', 'odd-name', '...', named('...')),
  kind('two slashes within', 'odd-name', 'a//b', named('a//b')),
  kind('a file named like a folder', 'odd-name', 'a/', named('a/')),
  kind('a name that is not UTF-8', 'encoding', '\u00ff\u00fe', named(Buffer.from([0xff, 0xfe]))),
  kind('a name of 300 bytes', 'name-length', 'n'.repeat(300), longPath('n'.repeat(300))),
  kind(
    'a path of 2,000 bytes',
    'path-length',
    'path/'.repeat(400) + 'x',
    longPath(`${'path/'.repeat(400)}x`),
  ),
  kind('100 folders deep', 'depth', `${'d/'.repeat(100)}x`, longPath(`${'d/'.repeat(100)}x`)),
  kind('the same name twice', 'duplicate', 'honest.txt', tar(HONEST, HONEST)),
  kind('the same name but for case', 'same-but-for-case', 'HONEST.TXT', tar(HONEST, { name: 'HONEST.TXT' })),
  kind(
    'the same name composed differently',
    'same-but-for-case',
    'u\u0308',
    tar({ name: '\u00fc' }, { name: 'u\u0308' }),
  ),
  kind(
    'the same name but for a dot at the end',
    'same-but-for-case',
    'honest.txt.',
    tar(HONEST, { name: 'honest.txt.' }),
  ),
  kind('two folders but for case', 'same-but-for-case', 'Lib/b', tar({ name: 'lib/a' }, { name: 'Lib/b' })),
  kind(
    'a file that becomes a folder',
    'file-as-folder',
    'honest.txt/evil',
    tar(HONEST, { name: 'honest.txt/evil' }),
  ),
  kind('a folder that becomes a file', 'file-as-folder', 'lib', tar({ name: 'lib/a' }, { name: 'lib' })),
];

const LINKS: readonly HostileKind[] = [
  kind('a link to an absolute path', 'link-escape', 'l', tar(HONEST, symlink('l', '/etc/passwd'))),
  kind('a link out of the archive', 'link-escape', 'a/l', tar(HONEST, symlink('a/l', '../../victim.txt'))),
  kind(
    'a link out by way of a link',
    'link-escape',
    'z',
    tar(HONEST, symlink('y/two', '..'), symlink('z', 'y/two/../victim.txt')),
  ),
  kind(
    'a link that leads out and back',
    'link-escape',
    'l',
    tar(HONEST, symlink('l', '../folder/honest.txt')),
  ),
  kind(
    'a file through an earlier link',
    'through-link',
    'l/evil.txt',
    tar(HONEST, symlink('l', '..'), { name: 'l/evil.txt' }),
  ),
  kind(
    'a file through a link that stays within',
    'through-link',
    'l/b',
    tar({ name: 'lib/a' }, symlink('l', 'lib'), { name: 'l/b' }),
  ),
  kind(
    'a file in place of a link',
    'duplicate',
    'l',
    tar(symlink('l', 'other'), { name: 'l', content: 'evil' }),
  ),
  kind('a link in place of a folder', 'through-link', 'lib', tar({ name: 'lib/a' }, symlink('lib', 'other'))),
  kind(
    'a folder in place of a link',
    'duplicate',
    'l/',
    tar(symlink('l', 'other'), { name: 'l/', type: '5' }),
  ),
  kind('links in a circle', 'link-loop', 'a', tar(HONEST, symlink('a', 'b'), symlink('b', 'a'))),
  kind('a link to nothing', 'link-target', 'l', tar(HONEST, symlink('l', ''))),
  kind('a link with backslashes', 'link-target', 'l', tar(HONEST, symlink('l', '..\\..\\evil'))),
  kind('the whole folder as a link', 'odd-name', '.', tar(symlink('.', 'elsewhere'))),
  kind('a hard link to an absolute path', 'hardlink-target', 'h', tar(HONEST, hardlink('h', '/etc/passwd'))),
  kind('a hard link out of the archive', 'hardlink-target', 'h', tar(HONEST, hardlink('h', '../victim.txt'))),
  kind('a hard link to a link', 'hardlink-target', 'h', tar(symlink('l', 'x'), hardlink('h', 'l'))),
  kind(
    'a hard link through a link',
    'hardlink-target',
    'h',
    tar({ name: 'lib/a' }, symlink('l', 'lib'), hardlink('h', 'l/a')),
  ),
  kind('a hard link to a later file', 'hardlink-target', 'h', tar(hardlink('h', 'honest.txt'), HONEST)),
  kind('a hard link to itself', 'hardlink-target', 'h', tar(HONEST, hardlink('h', 'h'))),
];

const TYPES: readonly HostileKind[] = [
  kind('setuid', 'special-mode', 'su', tar(HONEST, { name: 'su', mode: 0o4755 })),
  kind('setgid', 'special-mode', 'sg', tar(HONEST, { name: 'sg', mode: 0o2755 })),
  kind('a sticky folder', 'special-mode', 'tmp/', tar(HONEST, { name: 'tmp/', type: '5', mode: 0o1777 })),
  kind('a character device', 'device', 'null', tar(HONEST, { name: 'null', type: '3' })),
  kind('a block device', 'device', 'sda', tar(HONEST, { name: 'sda', type: '4' })),
  kind('a FIFO', 'fifo', 'pipe', tar(HONEST, { name: 'pipe', type: '6' })),
  kind('an unknown type', 'unknown-type', 'odd', tar(HONEST, { name: 'odd', type: 'Z' })),
  kind('a part of another volume', 'unknown-type', 'part', tar(HONEST, { name: 'part', type: 'M' })),
  kind(
    'a sparse file of GNU',
    'sparse',
    'holes',
    tar(HONEST, { name: 'holes', type: 'S', magic: 'ustar  \0' }),
  ),
  kind('a sparse file of pax', 'sparse', 'x-header', tar(HONEST, pax([['GNU.sparse.major', '1']]), SECOND)),
  kind('a folder with content', 'size', 'lib/', tar(HONEST, { name: 'lib/', type: '5', content: 'hidden' })),
];

const HEADERS: readonly HostileKind[] = [
  kind('two sizes', 'headers-differ', 'second.txt', tar(pax([['size', '0']]), SECOND)),
  kind('a path for all entries', 'extended-header', 'g-header', tar(pax([['path', 'evil']], 'g'), SECOND)),
  kind(
    'a line of wrong length',
    'extended-header',
    'x',
    tar({ name: 'x', type: 'x', content: '99 path=evil\n' }, SECOND),
  ),
  kind(
    'two paths in one header',
    'extended-header',
    'x-header',
    tar(
      pax([
        ['path', 'a'],
        ['path', 'b'],
      ]),
      SECOND,
    ),
  ),
  kind(
    'two extended headers',
    'extended-header',
    'x-header',
    tar(pax([['path', 'a']]), pax([['path', 'b']]), SECOND),
  ),
  kind('an unknown word', 'extended-header', 'x-header', tar(pax([['hdrcharset', 'BINARY']]), SECOND)),
  kind(
    'an extended header of a megabyte',
    'extended-header',
    'x-header',
    tar(pax([['comment', 'c'.repeat(MEGABYTE)]]), SECOND),
  ),
  kind(
    'names by GNU and by pax',
    'extended-header',
    'b',
    tar({ name: 'L', type: 'L', content: 'a\0' }, pax([['path', 'b']]), SECOND),
  ),
  kind('a header of no entry', 'extended-header', 'honest.txt', tar(HONEST, pax([['path', 'a']]))),
  kind(
    'a wrong checksum of a header',
    'malformed',
    'second.txt',
    tar(HONEST, { ...SECOND, checksumError: 1 }),
  ),
  kind('a size that is no number', 'malformed', 'second.txt', tar(HONEST, { ...SECOND, size: '12345678x' })),
  kind(
    'a negative size',
    'malformed',
    'second.txt',
    tar(HONEST, { ...SECOND, size: Buffer.alloc(12, 0xff) }),
  ),
  kind(
    'an unknown magic word',
    'malformed',
    'second.txt',
    tar(HONEST, { ...SECOND, magic: 'evil!\u000000' }),
  ),
];

const whole = tar(HONEST, SECOND);
const packed = gzipSync(whole);
const damaged = Buffer.from(packed);
damaged[packed.length - 6]! ^= 0xff; // in the checksum

const ENDS: readonly HostileKind[] = [
  kind('cut off within a file', 'truncated', 'second.txt', whole.subarray(0, 3 * 512 + 3)),
  kind('cut off within a header', 'truncated', 'honest.txt', whole.subarray(0, 2 * 512 + 100)),
  kind('cut off between two files', 'truncated', 'honest.txt', whole.subarray(0, 2 * 512)),
  kind('half an end mark', 'truncated', 'second.txt', whole.subarray(0, whole.length - 512)),
  kind(
    'bytes after the end',
    'trailing-bytes',
    'honest.txt',
    Buffer.concat([tar(HONEST), Buffer.from('evil')]),
  ),
  kind('an archive after the end', 'trailing-bytes', 'honest.txt', Buffer.concat([tar(HONEST), tar(SECOND)])),
  kind(
    'a block of zeros in the middle',
    'trailing-bytes',
    'honest.txt',
    tar(HONEST, TAR_END.subarray(512), SECOND),
  ),
  kind('gzip: cut off', 'truncated', null, packed.subarray(0, packed.length - 4)),
  kind('gzip: a wrong checksum', 'malformed', null, damaged),
  kind('gzip: bytes after the end', 'trailing-bytes', null, Buffer.concat([packed, Buffer.from('evil')])),
  kind('gzip: zeros after the end', 'trailing-bytes', 'second.txt', Buffer.concat([packed, TAR_END])),
  kind('gzip: an archive after the end', 'trailing-bytes', 'second.txt', Buffer.concat([packed, packed])),
  kind('gzip: not a tar within', 'malformed', 'evil', gzipSync(Buffer.alloc(1024, 'evil\0'))),
  kind('another sha256', 'checksum', null, whole, { sha256: 'a'.repeat(64) }),
  kind('nothing at all', 'truncated', null, Buffer.alloc(0)),
  kind('neither tar nor zip', 'format', null, Buffer.from('#!/bin/sh\nrm -rf /\n')),
  kind('zstd', 'format', null, Buffer.from('28b52ffd0458', 'hex')),
  kind('xz', 'format', null, Buffer.from('fd377a585a000004', 'hex')),
  kind('bzip2', 'format', null, Buffer.from('BZh91AY&SY')),
];

const zeros = (megabytes: number): Buffer => Buffer.alloc(megabytes * MEGABYTE);
const many = tarBody(...Array.from({ length: 101 }, (_, each) => ({ name: `f${each}` })));

const BOMBS: readonly HostileKind[] = [
  kind('64 MB in 64 KB', 'ratio', 'bomb', () => gzipSync(tar(HONEST, { name: 'bomb', content: zeros(64) }))),
  kind('64 MB of zeros after the end', 'ratio', 'honest.txt', () =>
    gzipSync(Buffer.concat([tar(HONEST), zeros(64)])),
  ),
  kind('more bytes than allowed', 'too-many-bytes', 'second.txt', whole, { limits: { maxTotalBytes: 10 } }),
  kind('8 GB announced', 'too-many-bytes', 'second.txt', tar(HONEST, { ...SECOND, size: '77777777777\0' })),
  kind(
    'terabytes announced',
    'too-many-bytes',
    'second.txt',
    tar(HONEST, { ...SECOND, size: Buffer.from('800000000000ffffffffffff', 'hex') }),
  ),
  kind('more entries than allowed', 'too-many-entries', 'f100', Buffer.concat([many, TAR_END]), {
    limits: { maxEntries: 100 },
  }),
];

export const HOSTILE_TARS = [...NAMES, ...LINKS, ...TYPES, ...HEADERS, ...ENDS, ...BOMBS];
