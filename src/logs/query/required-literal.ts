/**
 * Finds a text that whatever a regular expression matches must contain, so that most of a log need not be looked at by it.
 * Careful, not clever: what it does not understand for certain makes it answer nothing.
 */
const QUANTIFIER = /^\{\d+(?:,\d*)?\}/;
/** What may follow a backslash and stand for itself. */
const ITSELF = /[^\w\s]/;
/** Takes what follows it, too: x41, u0041, cA, k<name>, p{…}, 1. */
const LONG_ESCAPE = /[xuckpP\d]/;

/** The longest one; undefined: nothing is certain. */
export function requiredLiteral(pattern: string): string | undefined {
  let longest = '';
  let run = '';
  const end = (): void => {
    if (run.length > longest.length) longest = run;
    run = '';
  };
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at]!;
    if (character === '|') return undefined;
    if (character === '\\') {
      const escaped = pattern[at + 1];
      if (escaped === undefined || LONG_ESCAPE.test(escaped)) return undefined;
      if (ITSELF.test(escaped)) run += escaped;
      else end();
      at += 2;
    } else if (character === '[' || character === '(') {
      end();
      at = character === '[' ? afterClass(pattern, at) : afterGroup(pattern, at);
    } else if (isOptional(pattern, at)) {
      // Of a pair of surrogates the quantifier takes the second half.
      run = run.slice(0, -1);
      end();
      at += QUANTIFIER.exec(pattern.slice(at))?.[0].length ?? 1;
    } else if (character === '+' || character === '.' || character === '^' || character === '$') {
      end();
      at++;
    } else {
      run += character;
      at++;
    }
  }
  end();
  return longest === '' || /[\ud800-\udfff]/.test(longest) ? undefined : longest;
}

function isOptional(pattern: string, at: number): boolean {
  return '*?'.includes(pattern[at]!) || (pattern[at] === '{' && QUANTIFIER.test(pattern.slice(at)));
}

function afterClass(pattern: string, from: number): number {
  for (let at = from + 1; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === ']') return at + 1;
  }
  return pattern.length;
}

function afterGroup(pattern: string, from: number): number {
  let depth = 0;
  for (let at = from; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++;
    else if (pattern[at] === '[') at = afterClass(pattern, at) - 1;
    else if (pattern[at] === '(') depth++;
    else if (pattern[at] === ')' && --depth === 0) return at + 1;
  }
  return pattern.length;
}
