import { join } from "node:path"

/** The page as a browser loads it: one script, one style sheet. */
export interface Bundled {
  readonly script: string
  readonly style: string
}

const page = join(import.meta.dir, "..", "..", "src", "page")

const built = (entry: string): string => {
  const made = Bun.spawnSync([
    process.execPath,
    "build",
    join(page, entry),
    "--minify",
    "--target=browser",
    "--production",
    `--tsconfig-override=${join(page, "tsconfig.json")}`
  ])
  if (made.exitCode !== 0) throw new Error(`the page could not be built:\n${made.stderr.toString()}`)
  return made.stdout.toString()
}

/**
 * Builds the page from its source. It is called while the module that uses it is compiled: for the binary once,
 * from source when the module is loaded. So nobody builds the page by hand, and no built file is kept.
 */
export const bundle = (): Bundled => ({ script: built("Main.tsx"), style: built("page.css") })
