/** Texts of: home. */
export const homeTexts = {};
