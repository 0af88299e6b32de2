/** Lays out alerts: who is told, of what, and whether it arrives. */
import { ALERT_KINDS, type AlertView } from '../../protocol/index.js';
import { outColors } from './color.js';
import { wordNames } from './operation.js';
import { formatTable, terminalWidth, type Row } from './table.js';
import { formatTime } from './time.js';

export function formatAlerts(alerts: readonly AlertView[]): string {
  if (alerts.length === 0)
    return 'Nobody is told of anything\n  hint: write alerts in the configuration file';
  return formatTable(
    [
      { title: 'NAME' },
      { title: 'BY' },
      { title: 'TO', minWidth: 12 },
      { title: 'OF', minWidth: 10 },
      { title: 'SERVICES', minWidth: 10 },
      { title: 'PENDING', align: 'right' },
      { title: 'DELIVERED' },
      { title: 'FAILURE', minWidth: 20, isOptional: true },
    ],
    alerts.map(rowOf),
    { width: terminalWidth(), paintTitle: outColors.dim },
  );
}

function rowOf({ name, via, to, on, services, pending, deliveredAt, failure }: AlertView): Row {
  return [
    name,
    via,
    to,
    on.length === ALERT_KINDS.length ? 'everything' : on.join(', '),
    wordNames(services),
    String(pending),
    deliveredAt === null ? '' : formatTime(deliveredAt),
    { text: failure ?? '', paint: outColors.red },
  ];
}

export function formatTested(alerts: readonly AlertView[]): string {
  if (alerts.length === 0) return formatAlerts(alerts);
  return alerts
    .map(({ name, to, failure }) =>
      failure === null
        ? `${name}: ${to} took it`
        : outColors.red(`${name}: ${to} did not take it: ${failure}`),
    )
    .join('\n');
}
