/** Kept from before the application, whose tests may set the clock (sinon, jest). */
export const { setInterval, clearInterval, setTimeout, setImmediate } = global;
const { hrtime } = process;

export function now(): number {
  const [seconds, nanoseconds] = hrtime.call(process);
  return seconds * 1e3 + nanoseconds / 1e6;
}
