/** As `Promise.all`, with so many at a time; the first that fails ends it. */
export async function mapAtOnce<T, U>(
  limit: number,
  all: readonly T[],
  work: (each: T) => Promise<U>,
): Promise<U[]> {
  const results: U[] = [];
  const queue = [...all.entries()];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [index, each] = next;
      results[index] = await work(each).catch((error: unknown) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
}
