const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined where it is no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined; // it throws for that only
  }
}
