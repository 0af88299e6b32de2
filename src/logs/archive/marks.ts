/**
 * The marks of a member, as numbers of seven bits a byte: first the writers (instance, attempt, begun), then for each mark
 * its writer, how much later and how much further on than the one before it. Times may go back: they are zigzag.
 */
import type { LogRun, Mark } from '../log-index.js';

export function encodeMarks(marks: readonly Mark[], from: number): Buffer {
  const writers: LogRun[] = [];
  const numberOf = new Map<string, number>();
  const places = marks.map((mark) => {
    const key = `${mark.instance}.${mark.attempt}.${mark.begunAt}`;
    if (!numberOf.has(key)) numberOf.set(key, writers.push(mark) - 1);
    return numberOf.get(key)!;
  });
  const bytes: number[] = [];
  put(bytes, writers.length);
  for (const { instance, attempt, begunAt } of writers)
    [instance, attempt, begunAt].forEach((value) => put(bytes, value));
  let last = { at: 0, offset: from };
  for (const [index, mark] of marks.entries()) {
    put(bytes, places[index]!);
    put(bytes, zigzag(mark.at - last.at));
    put(bytes, mark.offset - last.offset);
    last = mark;
  }
  return Buffer.from(bytes);
}

export function decodeMarks(bytes: Buffer, from: number): Mark[] {
  let position = 0;
  const take = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[position++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const writers = Array.from({ length: take() }, () => ({
    instance: take(),
    attempt: take(),
    begunAt: take(),
  }));
  const marks: Mark[] = [];
  let [at, offset] = [0, from];
  while (position < bytes.length) {
    const writer = writers[take()];
    at += unzigzag(take());
    offset += take();
    if (writer) marks.push({ ...writer, at, offset });
  }
  return marks;
}

function put(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
}

/** Numbers are larger than 32 bits. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
