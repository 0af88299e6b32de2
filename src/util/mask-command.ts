const SECRET = '[\\w.-]*(?:secret|token|passw|pwd|credential|api[_-]?key|private[_-]?key)[\\w.-]*';
const ASSIGNED = new RegExp(`(${SECRET}=)\\S+`, 'gi');
const OPTION = new RegExp(`(\\s--?${SECRET}\\s+)(?!-)\\S+`, 'gi');
const IN_URL = /(\w+:\/\/[^\s:/@]*:)[^\s@]+@/g;

/** A command line as it may be shown: one value masked too many is better than one too few. At most `length` characters. */
export function maskCommand(command: string, length = 160): string {
  const masked = command
    .replace(ASSIGNED, '$1***')
    .replace(OPTION, '$1***')
    .replace(IN_URL, '$1***@')
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
  return masked.length > length ? `${masked.slice(0, length - 1)}…` : masked;
}
