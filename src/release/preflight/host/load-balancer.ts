/** Whether what sends traffic to this host would let it out and in again: a release that finds that out at its switch has come too far. */
import { UpkeepError } from '../../../protocol/index.js';
import { systemClock } from '../../../system/index.js';
import type { StageJob } from '../../job.js';
import { OutsideTraffic } from '../../outside-traffic.js';
import type { TrafficLook } from '../../traffic/index.js';
import type { Facts } from '../facts/facts.js';
import type { Finding } from '../finding.js';

export async function judgeLoadBalancer({ job, host }: Facts, signal: AbortSignal): Promise<Finding[]> {
  const outside = new OutsideTraffic(job.spec, systemClock);
  // Commands are the same for all.
  const services = job.spec.traffic?.type === 'command' ? outside.services.slice(0, 1) : outside.services;
  // It has no canary, takes nothing out there, and lets nothing in.
  const isWayBack = job.kind === 'rollback' && outside.hasWeights;
  const share = job.spec.verify.canary && !isWayBack ? outside.canaryShare : 100;
  const judge = async (service: string): Promise<Finding> => {
    const finding = { area: 'host', rule: 'load-balancer', subject: service } as const;
    try {
      const look = await outside.look(service, share, signal);
      if (look.out && !isWayBack && job.previous) throw look.out;
      return { ...finding, ...wordLook(service, look, job) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UpkeepError)) throw error;
      const { message, hint = 'see traffic in the configuration' } = error;
      const verdict = isWayBack ? 'warned' : 'failed';
      return { ...finding, verdict, text: `${message} (from host "${host}")`, hint };
    }
  };
  try {
    return await Promise.all(services.map(judge));
  } finally {
    outside.close();
  }
}

function wordLook(
  service: string,
  { places, last, out }: TrafficLook,
  { kind, previous }: StageJob,
): Pick<Finding, 'verdict' | 'text' | 'hint'> {
  if (out && kind === 'rollback') {
    const hint = out.hint === undefined ? {} : { hint: out.hint };
    return { verdict: 'warned', text: `${service} is out of traffic, and stays out`, ...hint };
  }
  // As one that waits for its first release: disabled in haproxy.cfg.
  if (out)
    return { verdict: 'warned', text: `${service} is out of traffic, and its first release lets it in` };
  if (last) {
    const handOver = previous ? ', and old instances hand over to new ones' : '';
    const text = `${last.message}; so ${service} will stay in${handOver}`;
    return { verdict: 'warned', text, ...(last.hint === undefined ? {} : { hint: last.hint }) };
  }
  const found = places.length === 0 ? 'its commands are there' : places.join('; ');
  return { verdict: 'passed', text: `${service} can be taken out of its traffic and let in again: ${found}` };
}
