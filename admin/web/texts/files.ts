const size = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** Texts of the files page. */
export const filesTexts = {
  title: "Files",
  lead: "The company's own files. Agents read and write them, as far as their boundaries go.",
  label: "Files by path",
  folder: "Folder",
  folderHint: "Shows this folder only; uploads go here too",
  upload: "Upload",
  uploading: "Uploading …",
  uploaded: (count: number, path: string) => (count === 1 ? `${path} is uploaded.` : `${count} files are uploaded.`),
  tooLarge: (name: string) => `${name} is larger than 10 MB. Split it, or choose a smaller one.`,
  replaceTitle: (path: string) => `Replace ${path}?`,
  replaceText: "There is a file with this path. What it holds now is lost.",
  replaceYes: "Replace the file",
  none: "No files yet",
  noneText: "Upload what agents should work with: price lists, guidelines, reports. Agents keep here what they write.",
  noneToRead: "Managers upload files here, and agents keep here what they write.",
  noneHere: "Nothing in this folder",
  noneHereText: "Choose another one, or leave the field empty to see everything.",
  path: "File",
  download: (path: string) => `Download ${path}`,
  size: "Size",
  bytes: (bytes: number) =>
    bytes < 1000
      ? `${size.format(bytes)} B`
      : bytes < 1e6
        ? `${size.format(bytes / 1e3)} kB`
        : bytes < 1e9
          ? `${size.format(bytes / 1e6)} MB`
          : `${size.format(bytes / 1e9)} GB`,
  changed: "Changed",
  by: (who: string) => `by ${who}`,
  from: (what: string) =>
    `From ${what}: nobody vouches for it, and agents that read it ask before they send anything outside.`,
  untrusted: "From outside",
  used: (used: string, most: string) => `${used} of ${most} used`,
  remove: (path: string) => `Remove ${path}`,
  removeTitle: (path: string) => `Remove ${path}?`,
  removeText: "It is gone for people and agents. It cannot be brought back.",
  removeYes: "Remove the file",
  removed: (path: string) => `${path} is removed.`,
};
