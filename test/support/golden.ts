import { expect } from "bun:test"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"

const folder = join(import.meta.dir, "..", "..", "fixtures", "golden")

/** Compares generated text with its file below fixtures/golden; UPDATE_GOLDEN=1 writes the file instead. */
export const expectGolden = (name: string, text: string): void => {
  const file = join(folder, name)
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  expect(text).toBe(readFileSync(file, "utf8"))
}
