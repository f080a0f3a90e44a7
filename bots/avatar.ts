/** A friendly face for each agent, the same for the same id. Drawn from shapes with soft edges; no image files. */
import { createHash } from "node:crypto";
import { PNG } from "pngjs";

const SIZE = 256;
type Colour = [red: number, green: number, blue: number];
/** Distance of a point to a shape's edge in pixels, negative inside. */
type Shape = (x: number, y: number) => number;

/** PNG of 256 × 256. */
export function drawAvatar(id: string): Buffer {
  const png = new PNG({ width: SIZE, height: SIZE });
  const layers = layersOf(createHash("sha256").update(id).digest());
  for (let top = 0; top < SIZE; top += BLOCK)
    for (let left = 0; left < SIZE; left += BLOCK) drawBlock(png.data, layersAt(layers, left, top), left, top);
  return PNG.sync.write(png, { colorType: 2 });
}

/** Most blocks are of one colour: they are filled without looking at each pixel. */
const BLOCK = 8;
/** No pixel of a block is further from its middle, and an edge is soft for half a pixel on each side. */
const REACH = Math.hypot(BLOCK, BLOCK) / 2 + 0.5;

/** The layers that are seen in a block: none that do not reach it, none below one that covers it whole. */
function layersAt(layers: Layer[], left: number, top: number): Layer[] {
  const seen: Layer[] = [];
  for (const layer of layers) {
    const distance = layer.shape(left + BLOCK / 2, top + BLOCK / 2);
    if (distance < -REACH) seen.length = 0;
    if (distance < REACH) seen.push(layer);
  }
  return seen;
}

function drawBlock(data: Buffer, layers: Layer[], left: number, top: number): void {
  const [only] = layers;
  const plain =
    layers.length === 1 && only && only.shape(left + BLOCK / 2, top + BLOCK / 2) < -REACH ? only.colour : null;
  for (let y = top; y < top + BLOCK; y++)
    for (let x = left; x < left + BLOCK; x++) {
      const [red, green, blue] = plain ?? colourAt(layers, x + 0.5, y + 0.5);
      const at = (y * SIZE + x) * 4;
      data[at] = Math.round(red);
      data[at + 1] = Math.round(green);
      data[at + 2] = Math.round(blue);
      data[at + 3] = 255;
    }
}

interface Layer {
  shape: Shape;
  colour: Colour;
}

/** Bytes of the id choose hue and features: 12 hues, 3 heads, 4 pairs of eyes, 4 mouths, 4 kinds of ears. */
function layersOf(bytes: Uint8Array): Layer[] {
  const pick = <T>(index: number, options: T[]): T => options[(bytes[index] ?? 0) % options.length]!;
  const hue = ((bytes[0] ?? 0) % 12) * 30;
  const back = hsl(hue, 0.58, 0.42);
  const dark = hsl(hue, 0.55, 0.2);
  const skin = hsl(hue, 0.55, 0.92);
  const blush = hsl(hue + 20, 0.75, 0.78);
  const head = pick(1, [
    roundBox(128, 140, 74, 66, 30),
    roundBox(128, 140, 70, 70, 70),
    roundBox(128, 140, 72, 62, 48),
  ]);
  return [
    { shape: () => -SIZE, colour: back },
    ...pick(2, EARS).map((shape) => ({ shape, colour: skin })),
    { shape: head, colour: skin },
    { shape: circle(84, 160, 11), colour: blush },
    { shape: circle(172, 160, 11), colour: blush },
    ...pick(3, EYES).map((shape) => ({ shape, colour: dark })),
    ...pick(4, MOUTHS).map((shape) => ({ shape, colour: dark })),
    ...(pick(3, [true, true, false, false]) ? [circle(104, 126, 3.5), circle(156, 126, 3.5)] : []).map((shape) => ({
      shape,
      colour: skin,
    })),
  ];
}

const circle =
  (cx: number, cy: number, radius: number): Shape =>
  (x, y) =>
    Math.hypot(x - cx, y - cy) - radius;

function roundBox(cx: number, cy: number, halfWidth: number, halfHeight: number, radius: number): Shape {
  const r = Math.min(radius, halfWidth, halfHeight);
  return (x, y) => {
    const dx = Math.abs(x - cx) - halfWidth + r;
    const dy = Math.abs(y - cy) - halfHeight + r;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - r;
  };
}

/** A stroke along the lower (or upper) half of a circle. */
const arc =
  (cx: number, cy: number, radius: number, width: number, lower: boolean): Shape =>
  (x, y) => {
    const inHalf = lower ? y >= cy : y <= cy;
    if (inHalf) return Math.abs(Math.hypot(x - cx, y - cy) - radius) - width / 2;
    return Math.min(Math.hypot(x - cx - radius, y - cy), Math.hypot(x - cx + radius, y - cy)) - width / 2;
  };

const EYES: Shape[][] = [
  [circle(102, 130, 11), circle(154, 130, 11)],
  [roundBox(102, 130, 9, 14, 9), roundBox(154, 130, 9, 14, 9)],
  [arc(102, 134, 12, 8, false), arc(154, 134, 12, 8, false)],
  [roundBox(102, 131, 14, 5, 5), roundBox(154, 131, 14, 5, 5)],
];

const MOUTHS: Shape[][] = [
  [arc(128, 158, 22, 8, true)],
  [(x, y) => Math.max(circle(128, 160, 22)(x, y), 160 - y)],
  [arc(128, 162, 13, 8, true)],
  [arc(116, 166, 12, 7, true), arc(140, 166, 12, 7, true)],
];

const EARS: Shape[][] = [
  [roundBox(128, 62, 4, 18, 4), circle(128, 42, 11)],
  [circle(72, 84, 20), circle(184, 84, 20)],
  [roundBox(50, 140, 12, 22, 10), roundBox(206, 140, 12, 22, 10)],
  [roundBox(100, 62, 4, 18, 4), circle(100, 44, 9), roundBox(156, 62, 4, 18, 4), circle(156, 44, 9)],
];

function colourAt(layers: Layer[], x: number, y: number): Colour {
  let colour: Colour = [0, 0, 0];
  for (const layer of layers) {
    const cover = Math.min(1, Math.max(0, 0.5 - layer.shape(x, y)));
    if (cover > 0) colour = colour.map((value, i) => value + (layer.colour[i]! - value) * cover) as Colour;
  }
  return colour;
}

/** Hue in degrees, saturation and lightness from 0 to 1, to 0…255. */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const a = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number) => {
    const k = (n + (hue % 360) / 30) % 12;
    return 255 * (lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [part(0), part(8), part(4)];
}
