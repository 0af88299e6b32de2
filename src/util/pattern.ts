/** What is wrong with a regular expression, and where: V8 says only what. */
export interface PatternFault {
  /** Counted from 1. */
  readonly column: number;
  readonly fact: string;
}

/** undefined: it is one. */
export function findPatternFault(pattern: string): PatternFault | undefined {
  const fact = factOf(pattern);
  if (fact === undefined) return undefined;
  return { fact: lowerFirst(fact), column: columnOf(pattern, fact) };
}

/** Where something was begun and not ended, or else where the same fault first shows. */
function columnOf(pattern: string, fact: string): number {
  if (/^(?:Unterminated|\\ at end)/.test(fact)) {
    for (let length = pattern.length - 1; length > 0; length--)
      if (factOf(pattern.slice(0, length)) === undefined) return length + 1;
    return 1;
  }
  for (let length = 1; length < pattern.length; length++)
    if (factOf(pattern.slice(0, length)) === fact) return length;
  return pattern.length;
}

/** `Invalid regular expression: /a(/: Unterminated group` -> `Unterminated group`. */
function factOf(pattern: string): string | undefined {
  try {
    new RegExp(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Invalid regular expression: \/[^]*\/[a-z]*: /, '');
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
