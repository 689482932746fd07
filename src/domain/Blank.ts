/**
 * What leaves no mark where it stands alone: spaces, control and format characters, fillers, what fonts are to leave
 * out (zero-width ones, variation selectors), the Braille blank and the null note head; and marks without a letter to
 * stand on. U+FFFC to U+FFFF and characters that are not known yet are shown as boxes: they are seen.
 */
const UNSEEN = /[\p{Z}\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/u
const SEEN = new RegExp(UNSEEN.source.replace("[", "[^"), "u")

/** Whether nothing of a text can be seen: it is empty, or made of spaces and invisible characters alone. */
export const isBlank = (text: string): boolean => !SEEN.test(text)

/** A blank text with every character but the plain space as its escape: `"\u200b"`. */
export const spelledOut = (text: string): string =>
  JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
