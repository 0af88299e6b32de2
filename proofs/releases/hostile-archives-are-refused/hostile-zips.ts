/** Hostile zips. Most begin with an honest file: it must not stay either. */
import { deflateRawSync } from 'node:zlib';
import { extraField, zip, type ZipPiece } from '../../../test/rig/zip-bytes.js';
import { kind, type HostileKind } from './kind.js';

const HONEST: ZipPiece = { name: 'honest.txt', content: 'honest' };
const SECOND: ZipPiece = { name: 'second.txt', content: 'second, and so on, and so on', method: 8 };
const LINK = 0o120777;
const ENCRYPTED = 0x801;
const DESCRIBED = 0x808;

const named = (name: string | Buffer): Buffer => zip([HONEST, { name, content: 'evil' }]);
const ofMode = (name: string, mode: number, content = ''): Buffer => zip([HONEST, { name, mode, content }]);
const second = (change: Partial<ZipPiece>): Buffer => zip([HONEST, { ...SECOND, ...change }]);

const NAMES: readonly HostileKind[] = [
  kind('a path that starts with ..', 'traversal', '../evil.txt', named('../evil.txt')),
  kind('an absolute path', 'absolute-path', '/tmp/upkeep-evil.txt', named('/tmp/upkeep-evil.txt')),
  kind('backslashes', 'backslash', '..\\evil.txt', named('..\\evil.txt')),
  kind('a drive letter', 'drive-letter', 'C:/evil.txt', named('C:/evil.txt')),
  kind('no name', 'empty-name', '', named('')),
  kind('NUL in a name', 'control-character', 'good.txt\0.exe', named('good.txt\0.exe')),
  kind('a name that is not UTF-8', 'encoding', '\ufffd', named(Buffer.from([0xff]))),
  kind('the same name twice', 'duplicate', 'honest.txt', zip([HONEST, HONEST])),
  kind('the same name but for case', 'same-but-for-case', 'Honest.txt', named('Honest.txt')),
  kind(
    'two names in one entry',
    'headers-differ',
    'second.txt',
    second({ extra: extraField(0x7075, Buffer.from('\u0001crc4../evil.txt')) }),
  ),
];

const TYPES: readonly HostileKind[] = [
  kind('a link to an absolute path', 'link-escape', 'l', ofMode('l', LINK, '/etc/passwd')),
  kind('a link out of the archive', 'link-escape', 'l', ofMode('l', LINK, '../victim.txt')),
  kind(
    'a file through a link',
    'through-link',
    'l/x',
    zip([{ name: 'l', mode: LINK, content: '..' }, { name: 'l/x' }]),
  ),
  kind('a link with an endless target', 'link-target', 'l', ofMode('l', LINK, 'x'.repeat(5000))),
  kind('setuid', 'special-mode', 'su', ofMode('su', 0o104755)),
  kind('a device', 'device', 'null', ofMode('null', 0o020666)),
  kind('a FIFO', 'fifo', 'pipe', ofMode('pipe', 0o010644)),
  kind('a socket', 'socket', 'sock', ofMode('sock', 0o140644)),
  kind('an unknown type', 'unknown-type', 'odd', ofMode('odd', 0o150644)),
  kind('a folder named like a file', 'headers-differ', 'lib', ofMode('lib', 0o040755)),
  kind('a folder with content', 'size', 'lib/', ofMode('lib/', 0o040755, 'hidden')),
];

const HEADERS: readonly HostileKind[] = [
  kind('encrypted', 'encrypted', 'second.txt', second({ flags: ENCRYPTED })),
  kind(
    'encrypted by its own header only',
    'encrypted',
    'second.txt',
    second({ local: { flags: ENCRYPTED } }),
  ),
  kind('an unknown method', 'compression', 'second.txt', second({ method: 14, packed: Buffer.from('?') })),
  kind(
    'another name in its own header',
    'headers-differ',
    'second.txt',
    second({ local: { name: 'evilly.txt' } }),
  ),
  kind('another size in its own header', 'headers-differ', 'second.txt', second({ local: { bytes: 1 } })),
  kind('another checksum in its own header', 'headers-differ', 'second.txt', second({ local: { crc: 1 } })),
  kind('another method in its own header', 'headers-differ', 'second.txt', second({ local: { method: 0 } })),
  kind(
    'other sizes behind its content',
    'headers-differ',
    'second.txt',
    second({ flags: DESCRIBED, after: Buffer.alloc(16) }),
  ),
  kind('two sizes without compression', 'size', 'honest.txt', zip([{ ...HONEST, bytes: 3 }])),
  kind('a wrong checksum', 'checksum', 'second.txt', second({ crc: 1 })),
  kind('more than it announces', 'size', 'second.txt', second({ bytes: 5 })),
  kind('less than it announces', 'size', 'second.txt', second({ bytes: 500 })),
  kind('bytes that cannot be unpacked', 'malformed', 'second.txt', second({ packed: Buffer.alloc(9, 0xff) })),
];

const evil = Buffer.from('evil');
const whole = zip([HONEST, SECOND]);

const PLACES: readonly HostileKind[] = [
  kind('two entries of the same bytes', 'overlap', 'second.txt', second({ offset: 0 })),
  kind(
    'an entry within another',
    'overlap',
    'honest.txt',
    zip([
      { name: 'outer', content: zip([HONEST]) },
      { ...HONEST, offset: 35 },
    ]),
  ),
  kind(
    'an entry that the directory does not know',
    'hidden-bytes',
    'second.txt',
    zip([HONEST, { name: 'evil', isHidden: true }, SECOND]),
  ),
  kind('bytes between two entries', 'hidden-bytes', 'second.txt', second({ before: evil })),
  kind(
    'bytes after compressed content',
    'hidden-bytes',
    'second.txt',
    second({ packed: Buffer.concat([deflateRawSync(Buffer.from('second, and so on, and so on')), evil]) }),
  ),
  kind(
    'fewer entries counted than there are',
    'hidden-bytes',
    'honest.txt',
    zip([HONEST, SECOND], { count: 1 }),
  ),
  kind('more entries counted than there are', 'truncated', 'second.txt', zip([HONEST, SECOND], { count: 3 })),
  kind('a directory that lies elsewhere', 'malformed', null, zip([HONEST], { offset: 4 })),
  kind('a part of several', 'malformed', null, zip([HONEST], { disk: 2 })),
  kind('bytes after the end', 'trailing-bytes', null, zip([HONEST], { after: evil })),
  kind('an archive after the end', 'malformed', null, Buffer.concat([zip([HONEST]), zip([SECOND])])),
  kind(
    'an end within its comment',
    'hidden-bytes',
    null,
    zip([HONEST], { comment: zip([]).toString('latin1') }),
  ),
  kind('cut off', 'truncated', null, whole.subarray(0, whole.length - 30)),
  kind('another sha256', 'checksum', null, whole, { sha256: 'b'.repeat(64) }),
];

const bomb = (): ZipPiece => ({ name: 'bomb', content: Buffer.alloc(32 * 1024 ** 2), method: 8, crc: 0 });

const BOMBS: readonly HostileKind[] = [
  kind('32 MB in 32 KB', 'ratio', 'bomb', () => zip([HONEST, bomb()])),
  kind('32 MB that are announced as 10 bytes', 'size', 'bomb', () => zip([HONEST, { ...bomb(), bytes: 10 }])),
  kind('more bytes than allowed', 'too-many-bytes', 'second.txt', whole, { limits: { maxTotalBytes: 10 } }),
  kind('more entries than allowed', 'too-many-entries', null, whole, { limits: { maxEntries: 1 } }),
];

export const HOSTILE_ZIPS = [...NAMES, ...TYPES, ...HEADERS, ...PLACES, ...BOMBS];
