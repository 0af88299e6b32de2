const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/gi;
/** What follows one of these is a secret more often than not. */
const SECRET =
  /secret|token|passw|pwd|credential|api[_-]?key|private[_-]?key|reset|verify|confirm|invit|magic|session|otp/i;
const LONG = 20;

/** The path of a URL as it may be shown: one part masked too many is better than one too few. */
export function maskPath(path: string): string {
  const segments = path.replace(UUID, '***').split('/');
  return segments
    .map((segment, index) => {
      const before = segments[index - 1];
      const isTold = before !== undefined && SECRET.test(before) && segment !== '';
      return isTold || looksSecret(segment) ? '***' : segment;
    })
    .join('/');
}

/** Words of a sentence with dashes are long, too, but each of them is short, and they have one case. */
function looksSecret(segment: string): boolean {
  if (/=|%3d/i.test(segment)) return true; // a value, or base64
  if (segment.length < LONG || !/\d/.test(segment)) return false;
  const isMixed = /[a-z]/.test(segment) && /[A-Z]/.test(segment);
  return isMixed || segment.split(/[^A-Za-z0-9]/).some((word) => word.length >= 16 && /\d/.test(word));
}
