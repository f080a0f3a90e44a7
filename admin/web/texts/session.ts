/** Texts of: session. */
export const sessionTexts = {};
