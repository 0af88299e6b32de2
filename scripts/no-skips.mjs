/** A reporter for CI, where a test that was left out is as bad as one that failed. */
export default async function* noSkips(events) {
  for await (const { type, data } of events) {
    const isLeftOut = data?.skip !== undefined || data?.todo !== undefined;
    if (!isLeftOut || (type !== 'test:pass' && type !== 'test:fail')) continue;
    process.exitCode = 1;
    yield `Left out, which is a failure in CI: ${data.name} (${data.skip || data.todo})\n`;
  }
}
