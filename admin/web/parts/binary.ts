/** Whether what was read as text was never written as text: a spreadsheet, a picture. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that no text has
export const looksBinary = (text: string): boolean => /[\u0000-\u0008\u000e-\u001a\ufffd]/.test(text);
