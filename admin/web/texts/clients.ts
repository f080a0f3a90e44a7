/** Texts of: clients. */
export const clientsTexts = {};
