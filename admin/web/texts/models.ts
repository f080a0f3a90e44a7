/** Texts of: models. */
export const modelsTexts = {};
