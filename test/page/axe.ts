import { readFileSync } from "node:fs"
import type { Page } from "playwright-core"

const script = readFileSync(Bun.resolveSync("axe-core/axe.min.js", import.meta.dir), "utf8")

interface Finding {
  readonly id: string
  readonly impact: string
  readonly nodes: ReadonlyArray<{ readonly html: string }>
}

/** What axe finds in a page that hinders somebody, a line each. */
export const hindrances = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(script)
  const found: ReadonlyArray<Finding> = await page.evaluate(
    "axe.run(document).then(({ violations }) => violations)"
  )
  return found.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html ?? ""}`)
}
