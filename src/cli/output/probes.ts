/** Lays out how long health probes took: a row for each service that has any. */
import type { ReportView } from '../../protocol/index.js';
import { outColors } from './color.js';
import { formatTable, terminalWidth } from './table.js';
import { formatMs } from './traffic.js';

/** Nothing where nobody was probed. */
export function formatProbes(services: ReportView['services']): string[] {
  const probed = services.flatMap(({ service, probes }) => (probes ? [{ service, ...probes }] : []));
  if (probed.length === 0) return [];
  const table = formatTable(
    [
      { title: 'SERVICE' },
      { title: 'PROBES', align: 'right' },
      { title: 'MEAN', align: 'right' },
      { title: 'SLOWEST', align: 'right' },
    ],
    probed.map(({ service, count, meanMs, maxMs }) => [
      service,
      String(count),
      formatMs(meanMs),
      formatMs(maxMs),
    ]),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
  return ['', table];
}
