/** An alert says where notices go, and says it once; also one that no service has chosen. */
import type { Report } from '../diagnostic.js';
import type { AlertDraft } from '../draft.js';

const WAYS = ['webhook', 'command', 'email'] as const;

export function waysOf(alert: AlertDraft['alert']): readonly string[] {
  return WAYS.filter((way) => alert[way] !== undefined);
}

export function checkAlerts(alerts: readonly AlertDraft[], report: Report): void {
  for (const { alert, path } of alerts) {
    const ways = waysOf(alert);
    if (ways.length === 1) continue;
    const message =
      ways.length === 0 ? 'nothing says where notices go' : `${ways.join(' and ')} exclude each other`;
    report({ path, at: 'key', message, hint: `write one of ${WAYS.join(', ')}` });
  }
}
