import { PNG } from "pngjs";

/** A real PNG of one colour. */
export const pngOf = (width: number, height: number): Buffer => PNG.sync.write(new PNG({ width, height }));

/** The head of a JPEG of these sides: enough for whoever reads no pixels. */
export function jpegOf(width: number, height: number): Buffer {
  const comment = Buffer.from([0xff, 0xfe, 0, 6, 1, 2, 3, 4]);
  const frame = Buffer.from([0xff, 0xc2, 0, 17, 8, height >> 8, height & 255, width >> 8, width & 255, 3]);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), comment, frame, Buffer.alloc(20)]);
}
