/** Real releases of a program that complains before anybody has asked it anything: that is seen before it gets traffic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReleaseView, VerifySpec } from '../../src/protocol/index.js';
import { freePort, Load, makeBuild, Shop, visit, type Kind } from '../rig/index.js';

const VERIFY = { canary: false, stable: 0, for: 0, bake: 0, noData: 'smoke', smoke: '/checkout' };

function assertRefused({ status, stages, failure }: ReleaseView, hint: RegExp): void {
  assert.equal(status, 'failed');
  assert.equal(stages.at(-1)!.stage, 'boot');
  const reason =
    /^Cannot let release \d of "shop" in: it writes new errors: shop: RangeError: voucher .*, 1 time$/;
  assert.match(failure!.message, reason);
  assert.match(failure!.hint!, hint);
}

test('a new kind of error at boot ends a release before it gets traffic; what serves does not notice', async () => {
  await using shop = await Shop.create({ port: await freePort(), verify: VERIFY });
  const { rig } = shop;
  const release = async (version: string, kind: Kind, newErrors: VerifySpec['newErrors'] = 'refuse') => {
    const spec = await shop.spec();
    const more = { spec: { ...spec, verify: { ...spec.verify, newErrors } } };
    return shop.release(makeBuild(shop.builds, version, kind), more);
  };
  assert.equal((await release('1.1.0', 'good')).status, 'succeeded');
  await using load = new Load(shop.port);
  await rig.until('it is answered', () => load.answers.size > 0);
  assertRefused(await release('1.2.0', 'complains-at-boot'), /^what served before serves on; one in full: /);
  assert.match(await visit(shop.port), / 1\.1\.0 /);
  assert.ok([...load.answers.keys()].every((answer) => / 1\.1\.0 /.test(answer)));
  const { stdout: shown } = await rig.cli('release', 'show', '2');
  assert.match(shown, /^boot +new errors +failed +shop: RangeError: voucher/m);
  const { stdout: report } = await rig.cli('release', 'report', '2');
  assert.match(report, /^\| boot \| new errors \| failed \| shop: RangeError: voucher/m);

  assert.equal((await release('1.3.0', 'complains-at-boot', 'ignore')).status, 'succeeded');
  assert.equal((await release('1.4.0', 'good')).status, 'succeeded');
  assert.equal((await shop.rollback()).status, 'succeeded', 'nobody is kept from going back');
  assert.match(await visit(shop.port), / 1\.3\.0 /);
  const warned = await release('1.5.0', 'complains-at-boot', 'warn');
  assert.equal(warned.status, 'succeeded');
  assert.ok(warned.checks.some(({ stage, verdict }) => stage === 'boot' && verdict === 'warned'));
  assert.equal((await release('1.6.0', 'complains-at-boot')).status, 'succeeded', 'what serves has it, too');
  assert.deepEqual(load.failures, []);
});

test('of a first release all kinds of errors are new', async () => {
  await using shop = await Shop.create({ port: await freePort(), verify: VERIFY });
  const view = await shop.release(makeBuild(shop.builds, '1.0.0', 'complains-at-boot'));
  assertRefused(view, /^one in full: upkeep errors show v1:\w+$/);
});
