/**
 * Does all of it at the same time; the first failure tells the rest to end, and is what this rejects with, once all of it is
 * settled.
 */
export async function together(
  signal: AbortSignal,
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const failures: unknown[] = [];
  const fail = (error: unknown): void => {
    failures.push(error);
    over.abort(error);
  };
  await Promise.all(works.map((work) => work(both).catch(fail)));
  if (failures.length > 0) throw failures[0];
}
