/** PDFs made by hand (ISO 32000-1, 7.5). */
import { constants, deflateRawSync, deflateSync } from "node:zlib";

/** One page for each text. `packed` replaces the deflated drawing of the first page. */
export function makePdf(texts: string[], options: { packed?: Buffer; title?: string } = {}): Buffer {
  const objects: Buffer[] = [];
  const add = (body: string | Buffer) => objects.push(Buffer.from(body));
  const pageAt = (at: number) => 5 + at * 2;
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add(`<< /Type /Pages /Count ${texts.length} /Kids [${texts.map((_, at) => `${pageAt(at)} 0 R`).join(" ")}] >>`);
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  add(`<< /Title (${options.title ?? "Untitled"}) >>`);
  texts.forEach((text, at) => {
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> /Contents ${pageAt(at) + 1} 0 R >>`,
    );
    const drawn = Buffer.from(`BT /F1 12 Tf 50 700 Td (${text.replaceAll(/[()\\]/g, "\\$&")}) Tj ET`);
    add(stream((at === 0 && options.packed) || deflateSync(drawn)));
  });
  return assemble(objects);
}

/** Zeros, deflated to a thousandth: the same block again and again. */
export function packedZeros(megabytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(1_000_000), { finishFlush: constants.Z_FULL_FLUSH });
  const blocks = Array.from({ length: megabytes }, () => block);
  return Buffer.concat([Buffer.from([0x78, 0x9c]), ...blocks, deflateRawSync(Buffer.alloc(0))]);
}

function stream(packed: Buffer): Buffer {
  const head = `<< /Length ${packed.length} /Filter /FlateDecode >>\nstream\n`;
  return Buffer.concat([Buffer.from(head), packed, Buffer.from("\nendstream")]);
}

function assemble(objects: Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let size = parts[0]?.length ?? 0;
  const push = (part: Buffer) => {
    parts.push(part);
    size += part.length;
  };
  objects.forEach((body, at) => {
    offsets.push(size);
    push(Buffer.concat([Buffer.from(`${at + 1} 0 obj\n`), body, Buffer.from("\nendobj\n")]));
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const count = objects.length + 1;
  const start = size;
  push(
    Buffer.from(
      `xref\n0 ${count}\n0000000000 65535 f \n${table}trailer\n<< /Size ${count} /Root 1 0 R /Info 4 0 R >>\nstartxref\n${start}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}
