/** What may be wrong with a release, and what has to be said of it. */
import type { Kind } from '../../../test/rig/index.js';

export interface Case {
  /** As it is shown. */
  readonly name: string;
  readonly kind: Kind;
  /** Beside the program of that kind, or instead of it. */
  readonly files?: Readonly<Record<string, string>>;
  /** All that the report says went wrong, nothing more and nothing less. */
  readonly says: RegExp;
  /** `unseen`: nobody ever asks it. */
  readonly ends: 'unseen' | 'while both serve' | 'after the switch';
  /** Of the requests that it takes while something is wrong with it. @default 0 */
  readonly failingShare?: number;
  /** It ends by itself, and with it the connections that it has. @default false */
  readonly breaksConnections?: boolean;
}

/** No program for any machine. */
const NO_BINARY = 'this was never compiled\n'.repeat(5);
const BCRYPT = {
  'node_modules/bcrypt/package.json': '{"name":"bcrypt","version":"6.0.0","main":"bcrypt.js"}',
  'node_modules/bcrypt/binding.gyp': '{"targets":[{"target_name":"bcrypt_lib"}]}',
  'node_modules/bcrypt/bcrypt.js': "module.exports = require('./build/Release/bcrypt_lib.node');\n",
};
const NEEDS_BCRYPT = "require('bcrypt');\n";
const EXAMPLE = '.env.example';

const NOT_FIT = 'Cannot release "shop": the new instance failed: ';
const NOT_GOOD = String.raw`Release \d+ of "shop" is not good: `;

/** In all of them old and new ones serve side by side until it is decided. */
export const BESIDE: readonly Case[] = [
  {
    name: 'hangs at boot',
    kind: 'hangs-at-boot',
    ends: 'unseen',
    says: exactly(
      `${NOT_FIT}not ready within 5s \\(http://\\S+/health: the instance does not listen there\\)`,
    ),
  },
  {
    name: 'exits at boot',
    kind: 'exits-at-boot',
    ends: 'unseen',
    says: exactly(`${NOT_FIT}exit code 3`),
  },
  {
    name: 'opens another port',
    kind: 'wrong-port',
    ends: 'unseen',
    // Several of them are in each other's way there.
    says: exactly(
      String.raw`${NOT_FIT}(?:not ready within 5s \(http://\S+/health: the instance does not listen there; it listens on \d+\)|exit code 1 \(Error: listen EADDRINUSE: address already in use :::\d+, at server\.cjs:\d+\))`,
    ),
  },
  {
    name: 'healthy, but sells nothing',
    kind: 'smoke-red',
    ends: 'unseen',
    says: exactly(
      String.raw`Cannot let release \d+ of "shop" in: its smoke check failed: (?:(?:; )?shop\.\d, new: http://\S+/checkout answered 500)+`,
    ),
  },
  {
    name: 'configuration missing',
    kind: 'missing-configuration',
    files: { [EXAMPLE]: 'DATABASE_URL=\n' },
    ends: 'unseen',
    says: exactly(
      String.raw`Cannot release "shop" \S+: DATABASE_URL is new since release \S+ and has no value .*`,
    ),
  },
  {
    name: 'the same, not declared',
    kind: 'missing-configuration',
    ends: 'unseen',
    says: exactly(
      String.raw`${NOT_FIT}exit code 1 \(TypeError: Cannot read properties of undefined \(reading 'models'\), at server\.cjs:\d+\)`,
    ),
  },
  {
    name: 'module missing',
    kind: 'missing-module',
    ends: 'unseen',
    says: exactly(String.raw`${NOT_FIT}exit code 1 \(Error: Cannot find module 'bcrypt', at server\.cjs:1\)`),
  },
  {
    name: 'native module not built',
    kind: 'missing-module',
    files: { ...BCRYPT, 'server.cjs': NEEDS_BCRYPT },
    ends: 'unseen',
    says: exactly(
      String.raw`${NOT_FIT}exit code 1 \(Error: Cannot find module '\./build/Release/bcrypt_lib\.node'(?:, at .*bcrypt\.js:1)?\)`,
    ),
  },
  {
    name: 'native module broken',
    kind: 'missing-module',
    files: {
      ...BCRYPT,
      'server.cjs': NEEDS_BCRYPT,
      'node_modules/bcrypt/build/Release/bcrypt_lib.node': NO_BINARY,
    },
    ends: 'unseen',
    says: exactly(
      String.raw`Cannot release "shop" \S+: bcrypt was built for another kind of machine, or is broken \(.*bcrypt_lib\.node.*\)`,
    ),
  },
  {
    name: 'syntax error',
    kind: 'syntax-error',
    ends: 'unseen',
    says: exactly(
      String.raw`Cannot release "shop" \S+: server\.cjs:1 of shop does not parse: SyntaxError: Unexpected token ';'`,
    ),
  },
  {
    name: 'exits later',
    kind: 'exits-later',
    ends: 'while both serve',
    breaksConnections: true,
    says: exactly(
      String.raw`${NOT_GOOD}(?:(?:; )?shop\.\d(?:, new, has ended)?: exit code 4)+(?: \(and \d more\))?`,
    ),
  },
  {
    name: 'fails 1 of 100',
    kind: 'fails-sometimes',
    ends: 'while both serve',
    failingShare: 0.01,
    says: failing('(?:0\\.[5-9]\\d|[12]\\.\\d\\d?)'),
  },
  {
    name: 'fails 30 of 100',
    kind: 'fails-often',
    ends: 'while both serve',
    failingShare: 0.3,
    says: failing('(?:2[5-9]|3[0-5])\\.\\d'),
  },
  {
    name: 'leaks 50 MB a second',
    kind: 'leaks',
    ends: 'while both serve',
    says: leaking(', new, grew from .*'),
  },
  {
    name: 'takes three times as long',
    kind: 'slow',
    ends: 'while both serve',
    says: exactly(String.raw`${NOT_GOOD}shop: median [\d.]+ ms new, [\d.]+ ms old \(x[23]\.\d\d\), p = \S+`),
  },
  {
    name: 'a new kind of exception',
    kind: 'new-exception',
    ends: 'while both serve',
    says: complaining(),
  },
];

/** What begins when the old ones have gone: it is gone back. */
export const LATE: readonly Case[] = [
  {
    name: 'exits later',
    kind: 'exits-later',
    ends: 'after the switch',
    breaksConnections: true,
    says: exactly(String.raw`${NOT_GOOD}(?:(?:; )?shop\.\d: exit code 4)+(?: \(and \d more\))?`),
  },
  {
    name: 'fails 30 of 100, later',
    kind: 'fails-often',
    ends: 'after the switch',
    failingShare: 0.3,
    says: exactly(String.raw`${NOT_GOOD}shop: new [\d,]+ of [\d,]+ failed \((?:2\d|3[0-5])\.\d %\), old .*`),
  },
  {
    name: 'leaks 50 MB a second, later',
    kind: 'leaks',
    ends: 'after the switch',
    says: leaking(', new, grew from .*'),
  },
  {
    name: 'a new kind of exception, later',
    kind: 'new-exception',
    ends: 'after the switch',
    says: complaining(),
  },
];

/** `percent`: of its requests. */
function failing(percent: string): RegExp {
  return exactly(
    String.raw`${NOT_GOOD}shop: new [\d,]+ of [\d,]+ failed \(${percent} %\), old 0 of [\d,]+(?:, p = \S+|, in the last 10 s)?`,
  );
}

/** All of them leak, whether they are asked or not. */
function leaking(words: string): RegExp {
  return exactly(
    String.raw`${NOT_GOOD}(?:(?:; )?shop\.\d${words} \(\d\d\.\d [KMG]?B a second\) and goes on.*?)+(?: \(and \d more\))?`,
  );
}

function complaining(): RegExp {
  return exactly(
    String.raw`${NOT_GOOD}shop: RangeError: voucher .* is worth less than nothing, at complain \(.*server\.cjs:\d+:\d+\), \d+ times?`,
  );
}

function exactly(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}
