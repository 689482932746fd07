import type { Tone } from "./Doc.ts"

/** How text is set off; every function answers its text unchanged where there are no colours. */
export interface Style {
  readonly bold: (text: string) => string
  readonly tone: (tone: Tone | undefined, text: string) => string
}

const codes: Readonly<Record<Tone, number>> = { good: 32, bad: 31, warn: 33, busy: 36, dim: 2 }

const sgr = (code: number, text: string): string => (text === "" ? "" : `\u001b[${code}m${text}\u001b[0m`)

/** Colours, or none. */
export const style = (colour: boolean): Style =>
  colour
    ? {
        bold: (text) => sgr(1, text),
        tone: (tone, text) => (tone === undefined ? text : sgr(codes[tone], text))
      }
    : { bold: (text) => text, tone: (_, text) => text }
