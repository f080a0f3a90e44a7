/** Bytes as text, in the encoding that they say they have; what is no text in it becomes "�". `html`: also as a page says it in its head. Pure. */
export function decodeText(bytes: Uint8Array, contentType: string, html = false): string {
  const head = html ? new TextDecoder("latin1").decode(bytes.subarray(0, 2048)) : "";
  const said = /charset\s*=\s*["']?([\w:.-]+)/i;
  const label = byteOrderMark(bytes) ?? said.exec(contentType)?.[1] ?? said.exec(head)?.[1] ?? "utf-8";
  return decoder(label).decode(bytes);
}

function byteOrderMark([a, b]: Uint8Array): string | undefined {
  if (a === 0xfe && b === 0xff) return "utf-16be";
  return a === 0xff && b === 0xfe ? "utf-16le" : undefined;
}

function decoder(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    // An encoding that nobody knows: most text is UTF-8.
    return new TextDecoder();
  }
}
