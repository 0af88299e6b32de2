/**
 * Grouping accuracy as logpai's logparser counts it: a message is right if its group consists of exactly the same messages as its
 * true group.
 */
export function groupingAccuracy(found: readonly string[], truth: readonly string[]): number {
  const trueSizes = sizesOf(truth);
  const foundSizes = sizesOf(found);
  const together = sizesOf(found.map((group, index) => `${group}\0${truth[index]!}`));
  const right = found.filter((group, index) => {
    const size = together.get(`${group}\0${truth[index]!}`);
    return size === foundSizes.get(group) && size === trueSizes.get(truth[index]!);
  });
  return right.length / found.length;
}

function sizesOf(groups: readonly string[]): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return sizes;
}
