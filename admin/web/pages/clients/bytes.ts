const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** 12 MB, 1.4 GB, in the viewer's way of writing. */
export function bytesText(bytes: number): string {
  const size = Math.abs(bytes);
  const step = size < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(size) / 3));
  const value = size / 1000 ** step;
  const format = new Intl.NumberFormat(undefined, {
    style: "unit",
    unit: UNITS[step] ?? "byte",
    maximumFractionDigits: value < 10 && step > 1 ? 1 : 0,
  });
  return format.format(value);
}
