/** Texts of: usage. */
export const usageTexts = {};
