/** What load.ts and its process say to each other. */
import type { LoadDescription } from './description.js';
import type { LiveCounters, LoadReport } from './report.js';

export type ToProcess =
  { readonly kind: 'start'; readonly description: LoadDescription } | { readonly kind: 'stop' };

export type FromProcess =
  | { readonly kind: 'ready' }
  | { readonly kind: 'counters'; readonly counters: LiveCounters; readonly lastFailure: string | undefined }
  | { readonly kind: 'report'; readonly report: LoadReport };
