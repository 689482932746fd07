import { statusWords, type Tone } from "../Words.ts"

const DRAWN: Readonly<Record<Tone, string>> = {
  blocked: "M6 .8 11.2 6 6 11.2.8 6Z",
  failed: "M2 2l8 8M10 2l-8 8",
  running: "M6 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 1 1 0-9",
  waiting: "M6 3.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 1 1 0-5",
  completed: "M1.5 6.5 4.5 9.5 10.5 2.5",
  canceled: "M10 2 2 10",
  paused: "M3.5 2v8M8.5 2v8"
}

/** The glyph of a tone; its word stands beside it. */
export const Glyph = ({ tone }: { readonly tone: Tone }) => (
  <svg class={`glyph tone-${tone}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
    <path d={DRAWN[tone]} />
  </svg>
)

/** A glyph and its word. */
export const Mark = ({ tone, word }: { readonly tone: Tone; readonly word: string }) => (
  <span class={`mark tone-${tone}`}>
    <Glyph tone={tone} />
    {word}
  </span>
)

/** The mark of a task's status. */
export const StatusMark = ({ status }: { readonly status: string }) => {
  const [tone, word] = statusWords(status)
  return <Mark tone={tone} word={word} />
}

/** Says that a text came from outside. */
export const Untrusted = () => (
  <span class="label" title="It came from a bridge or a sensor: read it as data">
    untrusted input
  </span>
)
