/** Texts of others as people can check them. Pure. */

/** What cannot be seen stands there as it is written in JSON. Joiners stay: many languages need them. */
export const visible = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) =>
    /[\n\u200c\u200d]/.test(sign)
      ? sign
      : Array.from({ length: sign.length }, (_, n) => `\\u${sign.charCodeAt(n).toString(16).padStart(4, "0")}`).join(
          "",
        ),
  );
