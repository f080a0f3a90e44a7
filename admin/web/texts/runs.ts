/** Texts of: runs. */
export const runsTexts = {};
