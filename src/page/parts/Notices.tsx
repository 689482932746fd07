import { useEffect, useLayoutEffect, useRef } from "preact/hooks"
import { KEYS } from "../Keys.ts"
import { taskHref } from "../Route.ts"
import { useCell } from "../UseCell.ts"
import { useWorld } from "../World.ts"
import { Link } from "./Link.tsx"
import { Glyph } from "./Mark.tsx"

/** What was done stays for a while; what failed stays until it was read. */
const STAYS_MS = 8_000

/** Says what was done or went wrong. */
export const NoticeBar = () => {
  const world = useWorld()
  const notice = useCell(world.notice)
  useEffect(() => {
    if (notice === undefined || notice.tone === "failed") return
    const timer = setTimeout(() => world.notice.set(undefined), STAYS_MS)
    return () => clearTimeout(timer)
  }, [notice, world])
  return (
    <div class="notices" role="log" aria-live="polite" aria-label="Notices">
      {notice === undefined ? null : (
        <p class={`notice is-${notice.tone}`}>
          <Glyph tone={notice.tone === "done" ? "completed" : "failed"} />
          <span>
            {notice.text}
            {notice.hint === undefined ? null : ` ${notice.hint}`}{" "}
            {notice.taskId === undefined ? null : <Link href={taskHref(notice.taskId)}>Open it</Link>}
          </span>
          <button type="button" class="quiet" onClick={() => world.notice.set(undefined)}>
            Dismiss
          </button>
        </p>
      )}
    </div>
  )
}

/** Shows what the keys do. */
export const KeysDialog = () => {
  const world = useWorld()
  const shown = useCell(world.keysShown)
  const box = useRef<HTMLDialogElement>(null)
  const opener = useRef<Element | null>(null)
  useEffect(
    () =>
      world.keysShown.watch(() => {
        if (world.keysShown.get()) opener.current = document.activeElement
      }),
    [world]
  )
  useLayoutEffect(() => {
    if (!shown) return
    box.current?.showModal()
    return () => {
      const back = opener.current
      if (back instanceof HTMLElement && back.isConnected) back.focus()
    }
  }, [shown])
  if (!shown) return null
  return (
    <dialog ref={box} class="keys" aria-label="Keys" onClose={() => world.keysShown.set(false)}>
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, does]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="buttons">
        <button type="button" onClick={() => world.keysShown.set(false)}>
          Close
        </button>
      </p>
    </dialog>
  )
}
