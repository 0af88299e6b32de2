const ESCAPE = '\u001b';
const COLOUR = new RegExp(String.raw`${ESCAPE}\[[\d;]*m`, 'g');

/** As it would look on a terminal without colours. */
export function withoutColour(text: string): string {
  return text.includes(ESCAPE) ? text.replace(COLOUR, '') : text;
}
