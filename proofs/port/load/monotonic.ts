/**
 * Milliseconds of CLOCK_MONOTONIC: the same in every process of the machine, so that what a client, an application and
 * a proof have written down can be put in one order.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
