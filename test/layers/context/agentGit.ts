import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"

/** git as the agent, or an operator, has it: with all that the repository configures. */
export const run = (dir: string, ...args: ReadonlyArray<string>): string => {
  const settings = ["user.name=t", "user.email=t@example.org", "protocol.file.allow=always"]
  return execFileSync("git", ["-C", dir, ...settings.flatMap((one) => ["-c", one]), ...args], {
    env: { PATH: process.env.PATH, HOME: "/dev/null", GIT_CONFIG_GLOBAL: "/dev/null" },
    stdio: ["ignore", "pipe", "pipe"]
  })
    .toString()
    .trim()
}

/** Writes a file, and makes the folders that it lies in. */
export const write = (path: string, text: string): void => {
  fs.mkdirSync(join(path, ".."), { recursive: true })
  fs.writeFileSync(path, text)
}
