import { expect } from "bun:test"
import { join } from "node:path"
import { Effect } from "effect"

const folder = join(import.meta.dir, "..", "..", "fixtures", "golden")

/** Compares a text with a golden file; `UPDATE_GOLDEN=1` writes the file anew instead. */
export const golden = (name: string, text: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    const file = Bun.file(join(folder, name))
    if (process.env.UPDATE_GOLDEN === "1") await file.write(text)
    expect(text).toBe(await file.text())
  })
