/** Figures as they stand in checks. */

/** `2,400`. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `5.0 %`, `0.04 %`, `0 %`. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value >= 1) return `${value.toFixed(1)} %`;
  return `${value >= 0.01 ? value.toFixed(2) : value.toPrecision(1)} %`;
}

/** `p = 0.03`, `p = 1e-9`. */
export function chance(p: number): string {
  if (p >= 0.995) return 'p = 1';
  return `p = ${p >= 0.01 ? p.toFixed(2) : p.toExponential(0)}`;
}

/** `12 ms`, `1.4 ms`, `2.3 s`. */
export function took(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** `1 request`, `2,400 requests`. */
export function many(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`;
}
