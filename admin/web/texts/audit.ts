/** Texts of: audit. */
export const auditTexts = {};
