/** Words the environment of a service. */
import type { EnvironmentView } from '../../protocol/index.js';
import { outColors } from './color.js';
import { formatTable, terminalWidth } from './table.js';

export function formatEnvironment({ entries }: EnvironmentView): string {
  const columns = [{ title: 'NAME' }, { title: 'VALUE', minWidth: 20 }, { title: 'SOURCE', minWidth: 12 }];
  const rows = entries.map(({ key, value, source, redacted }) => [
    { text: key, paint: outColors.bold },
    { text: value, paint: redacted ? outColors.dim : undefined },
    { text: source, paint: outColors.dim },
  ]);
  return formatTable(columns, rows, { width: terminalWidth(), paintTitle: outColors.dim });
}
