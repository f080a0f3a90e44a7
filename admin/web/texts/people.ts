/** Texts of: people. */
export const peopleTexts = {};
