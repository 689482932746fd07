import { cp, mkdtemp, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dir, "../..")
const PARTS = ["src", "layers", "config", "fixtures", "deploy", "package.json", "tsconfig.json"]

/** What a block of shell commands told. */
export interface Shell {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A throw-away copy of the sources, and a shell in it that has bun on PATH. */
export const makeSourceTree = async () => {
  const tree = await mkdtemp(join(tmpdir(), "agent-runtime-tree-"))
  const shell = async (block: string): Promise<Shell> => {
    const child = Bun.spawn(["bash", "-euo", "pipefail", "-c", block], {
      cwd: tree,
      env: { PATH: `${join(root, "node_modules", ".bin")}:/usr/bin:/bin`, HOME: tree },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe"
    })
    const [stdout, stderr] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited
    ])
    return { code: child.exitCode, stdout, stderr }
  }
  for (const part of PARTS) await cp(join(root, part), join(tree, part), { recursive: true })
  await symlink(join(root, "node_modules"), join(tree, "node_modules"))
  return { shell, remove: () => rm(tree, { recursive: true, force: true }) }
}

/** Runs a test body in a source tree of its own. */
export const inSourceTree = async (body: (shell: (block: string) => Promise<Shell>) => Promise<void>) => {
  const { remove, shell } = await makeSourceTree()
  try {
    await body(shell)
  } finally {
    await remove()
  }
}
