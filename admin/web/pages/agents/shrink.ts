/** Pictures are made small in the browser, so that one from a phone can be a face. */
import { Problem } from "../../problem.ts";
import { texts } from "../../texts.ts";

const SIDE = 512;

/** The middle square of the picture, at most 512 pixels wide, as base64 of a PNG or JPEG. Throws a sentence for what is no picture. */
export async function shrinkPicture(file: File): Promise<string> {
  const bitmap = await createImageBitmap(file).catch(() => {
    // Browsers only say that it is none they can read.
    throw new Problem({ status: 0, code: "invalid", detail: texts.agents.face.unreadable });
  });
  const from = Math.min(bitmap.width, bitmap.height);
  const side = Math.min(from, SIDE);
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const brush = canvas.getContext("2d");
  if (!brush) throw new Problem({ status: 0, code: "invalid", detail: texts.agents.face.unreadable });
  brush.drawImage(bitmap, (bitmap.width - from) / 2, (bitmap.height - from) / 2, from, from, 0, 0, side, side);
  bitmap.close();
  const png = canvas.toDataURL("image/png");
  // Photographs are large as PNG.
  const url = png.length > 700_000 ? canvas.toDataURL("image/jpeg", 0.9) : png;
  return url.slice(url.indexOf(",") + 1);
}
