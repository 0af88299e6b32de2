/** Colours only where a person looks, as https://no-color.org and FORCE_COLOR have it. */
import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;
export type Paint = (text: string) => string;

export function isColorful(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  return !env['NO_COLOR'] && env['TERM'] !== 'dumb' && stream.isTTY === true;
}

export const outColors: Colors = picocolors.createColors(isColorful(process.stdout, process.env));
export const errColors: Colors = picocolors.createColors(isColorful(process.stderr, process.env));
