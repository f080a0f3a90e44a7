/** Texts of: teams. */
export const teamsTexts = {};
