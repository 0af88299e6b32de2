/** Whether the Node.js that will run the release is one that it was made for. */
import { satisfies } from '../../../util/index.js';
import type { Facts } from '../facts/facts.js';
import type { Finding } from '../finding.js';
import { runProbe, whyNoProbe } from '../probe/run-probe.js';
import { listWords } from '../words.js';
import { byRuntime, type Runtime } from './runtime.js';

export function judgeNode(facts: Facts, signal: AbortSignal): Promise<Finding[]> {
  return Promise.all(byRuntime(facts).map((runtime) => judgeRuntime(runtime, facts, signal)));
}

async function judgeRuntime(
  { node, services }: Runtime,
  { job, build, host, folder }: Facts,
  signal: AbortSignal,
): Promise<Finding> {
  const names = listWords(services.map(({ spec }) => spec.name));
  const finding = (verdict: Finding['verdict'], text: string, hint?: string): Finding => ({
    area: 'host',
    rule: 'node',
    subject: names,
    verdict,
    text,
    ...(hint === undefined ? {} : { hint }),
  });
  const user = services[0]!.user;
  const barred = whyNoProbe(user);
  if (barred !== undefined)
    return finding(
      'unknown',
      `Node.js of ${names} was not asked: ${barred}`,
      'install upkeep where everybody can read it',
    );
  const { lines, died } = await runProbe({ task: 'version' }, { node, cwd: folder, user, signal });
  const version = lines.flatMap((line) => ('version' in line ? [line.version] : []))[0];
  if (version === undefined)
    return finding(
      'failed',
      `${node}, which is to run ${names} on host "${host}", ${died ?? 'says nothing'}`,
      'install it again',
    );
  const range = job.spec.node ?? build.engines;
  const source = job.spec.node === null ? 'engines of package.json' : 'the configuration';
  const what = `Node.js ${version} (${node}) of ${names} on host "${host}"`;
  if (range === null) return finding('passed', `${what}: nothing says which one is needed`);
  switch (satisfies(version, range)) {
    case true:
      return finding('passed', `${what} is in ${range}, as ${source} wants`);
    case false:
      return finding(
        'failed',
        `${what} is not in ${range}, as ${source} wants`,
        `install a Node.js in ${range}, and set interpreter`,
      );
    case undefined:
      return finding(
        'unknown',
        `${what}: the range ${range} of ${source} is not understood`,
        'write it as >=20',
      );
  }
}
