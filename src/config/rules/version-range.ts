/** Whether a text is a range of versions as npm reads them; what it holds of is for who has a version. */

const PART = String.raw`(?:\d+|[xX*])`;
const VERSION = String.raw`v?${PART}(?:\.${PART}(?:\.${PART}(?:-[\w.-]+)?(?:\+[\w.-]+)?)?)?`;
const COMPARATOR = String.raw`(?:\^|~>?|[<>]=?|=)?\s*${VERSION}`;
const RANGE = new RegExp(
  String.raw`^\s*(?:${VERSION}\s+-\s+${VERSION}|${COMPARATOR}(?:\s+${COMPARATOR})*)\s*$`,
);

export function isVersionRange(text: string): boolean {
  return text.split('||').every((part) => RANGE.test(part));
}
