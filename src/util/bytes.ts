const UNITS = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;

/** `"512MB"`, `"1.5gb"`, `"300M"` or a number of bytes; powers of 1024; undefined for anything else. */
export function parseBytes(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 ? value : undefined;
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(value.trim());
  if (!match) return undefined;
  const unit = `${(match[2] ?? '').toUpperCase()}B` as keyof typeof UNITS;
  return Math.round(Number(match[1]) * UNITS[unit]);
}

/** `742 B`, `3.1 MB`, `1.2 GB`. */
export function formatBytes(bytes: number): string {
  for (const unit of ['GB', 'MB', 'KB'] as const) {
    if (bytes >= UNITS[unit]) {
      const value = bytes / UNITS[unit];
      return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
    }
  }
  return `${bytes} B`;
}
