/**
 * Decides which variables of the shell every service gets. They are taken when a service is described and are no part
 * of its description: another terminal, with another PATH, asks for the same service.
 */
const BASE = new Set(['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'TZ', 'TMPDIR']);

export function isBaseVariable(key: string): boolean {
  return BASE.has(key) || key.startsWith('LC_');
}
