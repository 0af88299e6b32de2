/** Whether this host can run the release: users, programs, ports, Node.js, native modules, files that parse, its load balancer. */
import type { Facts } from '../facts/facts.js';
import type { Finding } from '../finding.js';
import { judgeLoadBalancer } from './load-balancer.js';
import { judgeNode } from './node.js';
import { judgeNativeModules } from './native-modules.js';
import { judgePorts } from './ports.js';
import { judgeProgram } from './program.js';
import { judgeSyntax } from './syntax.js';

export async function judgeHost(facts: Facts, signal: AbortSignal): Promise<Finding[]> {
  const { services } = facts;
  const found = await Promise.all([
    judgeNode(facts, signal),
    judgeNativeModules(facts, signal),
    judgeLoadBalancer(facts, signal),
    ...services.map((service) => judgeSyntax(service, facts, signal)),
  ]);
  const programs = services.flatMap((service) => judgeProgram(service, facts));
  return [...programs, ...judgePorts(facts), ...found.flat()];
}
