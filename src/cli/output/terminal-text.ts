/** Makes text of strangers harmless on a terminal: what is not text is shown instead of obeyed. */
const ESCAPE = '\u001b';
const CONTROL = new RegExp(String.raw`[\u0000-\u0008\u000a-\u001f\u007f-\u009f]`);
const EACH = new RegExp(String.raw`(${ESCAPE}\[[\d;:]*m)|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]`, 'g');
const RESET = `${ESCAPE}[0m`;
const PICTURES = 0x2400;
const DELETE = 0x7f;

/** One line. Colours (SGR) stay where `isColorful`, and end with the line. */
export function harmless(line: string, isColorful: boolean): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (!CONTROL.test(text)) return text;
  let hasColour = false;
  const shown = text.replace(EACH, (character, colour: string | undefined) => {
    if (colour === undefined) return picture(character.charCodeAt(0));
    hasColour = true;
    return isColorful ? colour : '';
  });
  return hasColour && isColorful ? shown + RESET : shown;
}

/** `␛`; those that have no picture by their number. */
function picture(code: number): string {
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  return code === DELETE ? '\u2421' : `\\x${code.toString(16)}`;
}
