import { join } from "node:path"

const deploy = join(import.meta.dir, "../../deploy")

/** A block of commands of a page; `asRoot` where the page says so. */
export interface Block {
  readonly asRoot: boolean
  readonly text: string
}

/** The text of a page below `deploy/`. */
export const page = (name: string): Promise<string> => Bun.file(join(deploy, name)).text()

/** The commands that a page gives its reader, in their order; those below the heading `below` alone where it is given. */
export const commandsOf = (text: string, below?: string): ReadonlyArray<Block> => {
  const from = below === undefined ? 0 : text.indexOf(`\n## ${below}`)
  if (from < 0) throw new Error(`the page has no heading ${below}`)
  const to = below === undefined ? text.length : text.indexOf("\n## ", from + 1)
  const part = text.slice(from, to < 0 ? text.length : to)
  return [...part.matchAll(/```bash( as-root)?\n(.*?)```/gs)].map(([, root, block]) => ({
    asRoot: root !== undefined,
    text: (block ?? "").trim()
  }))
}
