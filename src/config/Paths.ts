import type { Placed } from "./RuntimeConfig.ts"

/** `a/./b/../c` without its detours; `..` above the root stays at the root. Only absolute paths come in. */
const normal = (path: string): string => {
  const parts: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "..") parts.pop()
    else if (part !== "" && part !== ".") parts.push(part)
  }
  return `/${parts.join("/")}`
}

/** The absolute place of a path that stands in a file of `folder`: `~` and `~/x` lie below `home`. */
export const absolute = (folder: string, home: string, given: string): string => {
  if (given === "~") return normal(home)
  if (given.startsWith("~/")) return normal(`${home}/${given.slice(2)}`)
  return normal(given.startsWith("/") ? given : `${folder}/${given}`)
}

/** The folder that an absolute path lies in. */
export const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || "/"

export const placed = (folder: string, home: string, given: string): Placed => ({
  given,
  path: absolute(folder, home, given)
})

/** A program: one without a `/` stays as it is and is looked up on PATH later. */
export const program = (folder: string, home: string, given: string): Placed =>
  given.includes("/") ? placed(folder, home, given) : { given, path: given }

export const DEFAULT_CONFIG = "config/runtime.json"

/**
 * The configuration file of a command: what `--config` says, else AGENT_RUNTIME_CONFIG when it is not empty,
 * else `config/runtime.json` below the present folder.
 */
export const configPath = (asked: {
  readonly option: string | undefined
  readonly variable: string | undefined
  readonly cwd: string
  readonly home: string
}): string => {
  const given = asked.option ?? (asked.variable === "" ? undefined : asked.variable) ?? DEFAULT_CONFIG
  return absolute(asked.cwd, asked.home, given)
}
