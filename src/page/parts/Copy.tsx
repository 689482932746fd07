import { useRef, useState } from "preact/hooks"

// The clipboard is offered to secure addresses alone; elsewhere the text is selected and copied the old way.
const copy = async (text: string): Promise<boolean> => {
  if (navigator.clipboard !== undefined)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false
    )
  const box = document.createElement("textarea")
  box.value = text
  box.className = "hidden"
  document.body.append(box)
  box.select()
  const done = document.execCommand("copy")
  box.remove()
  return done
}

/** Copies a text. */
export const Copy = ({ text, what }: { readonly text: string; readonly what: string }) => {
  const [said, setSaid] = useState("Copy")
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  return (
    <button
      type="button"
      class="quiet copy"
      aria-label={`${said} ${what}`}
      onClick={async () => {
        clearTimeout(timer.current)
        setSaid((await copy(text)) ? "Copied" : "Select it:")
        timer.current = setTimeout(() => setSaid("Copy"), 2_000)
      }}
    >
      {said}
    </button>
  )
}
