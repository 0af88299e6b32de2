import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidatesOf, wordLoadError, type RuntimeFacts } from './native-files.js';

const LINUX: RuntimeFacts = { version: '22.1.0', modules: '127', platform: 'linux-x64', libc: 'glibc' };
const ROOT = '/srv/web/12';

function candidates(paths: readonly string[], runtime = LINUX): string[] {
  const files = paths.map((path) => `${ROOT}/${path}`);
  return candidatesOf(ROOT, files, runtime).map(
    ({ name, files: of }) => `${name}: ${of.map((file) => file.split('/').at(-1)).join(' ')}`,
  );
}

test('what was built here has to load, each of it, and prebuilt ones do not matter then', () => {
  const paths = [
    'node_modules/bcrypt/build/Release/bcrypt_lib.node',
    'node_modules/bcrypt/build/Release/obj.target/bcrypt_lib.node',
    'node_modules/bcrypt/prebuilds/linux-x64/node.napi.glibc.node',
    'node_modules/two/build/Release/a.node',
    'node_modules/two/build/Release/b.node',
  ];
  assert.deepEqual(candidates(paths), ['bcrypt: bcrypt_lib.node', 'two: a.node', 'two: b.node']);
});

test('of prebuilt ones only those for this system, this library and this ABI are looked at', () => {
  const prebuilds = [
    'linux-x64/node.napi.glibc.node',
    'linux-x64/node.napi.musl.node',
    'linux-x64/electron.napi.node',
    'linux-x64/node.abi115.node',
    'linux-x64/node.abi127.node',
    'linux-arm64/node.napi.node',
    'darwin-x64+arm64/node.napi.node',
    'win32-x64/node.napi.node',
  ].map((path) => `node_modules/@a/b/prebuilds/${path}`);
  assert.deepEqual(candidates(prebuilds), ['@a/b: node.napi.glibc.node node.abi127.node']);
  assert.deepEqual(candidates(prebuilds, { ...LINUX, libc: 'musl' }), [
    '@a/b: node.napi.musl.node node.abi127.node',
  ]);
});

test('packages for another system are left out, and an own module has the name of its file', () => {
  const paths = [
    'node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node',
    'node_modules/@img/sharp-linuxmusl-x64/lib/sharp-linuxmusl-x64.node',
    'node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node',
    'native/addon.node',
  ];
  assert.deepEqual(candidates(paths), [
    '@img/sharp-linux-x64: sharp-linux-x64.node',
    'addon.node: addon.node',
  ]);
});

test('errors of the loader are put into words', () => {
  const CASES: [string, string][] = [
    [
      "The module '/x.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115. This version of Node.js requires\nNODE_MODULE_VERSION 127.",
      'was built for another Node (ABI 115, this is 127)',
    ],
    ['/x.node: invalid ELF header', 'was built for another kind of machine, or is broken'],
    [
      'libvips.so.42: cannot open shared object file: No such file or directory',
      'needs the library libvips.so.42, which is not installed',
    ],
    [
      "/lib/libc.so.6: version `GLIBC_2.38' not found (required by /x.node)",
      'needs GLIBC 2.38, which is newer than what is installed',
    ],
    [
      '/x.node: undefined symbol: _ZN2v8',
      'was built for another Node (it wants _ZN2v8, which 22.1.0 does not have)',
    ],
    [
      'the process that loads it ended with SIGSEGV',
      'cannot be loaded: the process that loads it ended with SIGSEGV',
    ],
    ['whatever', 'cannot be loaded'],
  ];
  for (const [error, words] of CASES) assert.equal(wordLoadError(error, '22.1.0'), words);
});
