import { useState } from "preact/hooks"
import { useWorld } from "./World.ts"

/** A text that somebody writes: it outlives the part that it stands in, a sign-in between included. */
export const useDraft = (name: string): readonly [string, (text: string) => void] => {
  const { drafts } = useWorld()
  const [text, setText] = useState(drafts.get(name) ?? "")
  return [
    text,
    (next) => {
      if (next === "") drafts.delete(name)
      else drafts.set(name, next)
      setText(next)
    }
  ]
}
