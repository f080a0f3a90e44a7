/** Texts of: invites. */
export const invitesTexts = {};
