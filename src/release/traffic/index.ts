import type { TrafficSpec } from '../../protocol/index.js';
import { unreachable } from '../../util/index.js';
import { CommandTraffic } from './command.js';
import { HaproxyTraffic } from './haproxy.js';
import type { Traffic, TrafficOptions } from './traffic.js';

export type { Traffic, TrafficOptions, TrafficLook } from './traffic.js';
export { isLastServer, throwFailures } from './words.js';

export function createTraffic(spec: TrafficSpec, options: TrafficOptions): Traffic {
  switch (spec.type) {
    case 'haproxy':
      return new HaproxyTraffic(spec, options);
    case 'command':
      return new CommandTraffic(spec, options);
    default:
      return unreachable(spec);
  }
}
