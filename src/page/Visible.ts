// They turn the direction of all that follows; marks of single letters (LRM, RLM, ALM) turn nothing and stay.
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g

/** A text in which what would turn its direction is seen and turns nothing: `[U+202E]`. */
export const visible = (text: string): string =>
  text.replace(TURNING, (character) => `[U+${character.charCodeAt(0).toString(16).toUpperCase()}]`)

// As src/domain/Blank.ts judges it, which a test compares.
const SEEN = /[^\p{Z}\p{Cc}\p{Cf}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u2800\u{1D159}]/u

/** Whether nothing of a text can be seen: what bears it as its name could be neither found nor clicked. */
export const isBlank = (text: string): boolean => !SEEN.test(text)

/** What stands within an element, with the texts in it made visible; what is no text is left alone. */
export const allVisible = (child: unknown): unknown =>
  typeof child === "string" ? visible(child) : Array.isArray(child) ? child.map(allVisible) : child
