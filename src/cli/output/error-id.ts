/** What a person types of the id of a kind: `v1:3f2a9c1…` -> `3f2a9c1`. */
export function shortId(id: string): string {
  return id.slice(id.indexOf(':') + 1).slice(0, 7);
}
