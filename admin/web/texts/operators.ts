/** Texts of: operators. */
export const operatorsTexts = {};
