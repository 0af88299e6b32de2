/** Replaces what differs from one message of a kind to the next: `user 17 of 10.0.0.1` is `user <num> of <ip>`. */

const RULES: readonly (readonly [RegExp, string])[] = [
  [/[\w.+-]+@[\w-]+\.[\w.-]*\w/g, '<email>'],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)\]]+/gi, '<url>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, '<date>'],
  [/(?<![\w.])\d\d:\d\d:\d\d(?:[.,]\d+)?/g, '<time>'],
  [/(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?![\w.])/g, '<ip>'],
  [/(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:])/gi, '<ip>'],
  [/\b0x[0-9a-f]+\b/gi, '<hex>'],
  [/\b(?=[a-f]*\d)[0-9a-f]{7,}\b/gi, '<hex>'],
  [/(?<!\w)[-+]?\d+(?:[.,]\d+)*(?:ns|us|µs|ms|s|m|min|h|d|[kKMGT]i?B|B|%)?(?!\w)/g, '<num>'],
];

export function mask(message: string): string {
  let masked = message;
  for (const [pattern, name] of RULES) masked = masked.replace(pattern, name);
  return masked;
}
