export function splitLines(lines: Buffer): string[] {
  const split = lines.toString('utf8').split('\n');
  if (split.at(-1) === '') split.pop();
  return split;
}
