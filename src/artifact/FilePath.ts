/**
 * Paths as text, with `/` between their parts. Nothing here looks at a disk: what a path leads to is asked of
 * the ArtifactStore or the Workspace.
 */

export const isAbsolute = (path: string): boolean => path.startsWith("/")

/** A part that `normalise` takes out. */
const SUPERFLUOUS = /(?:^|\/)\.{0,2}(?:\/|$)/

/** Without `.`, doubled and trailing slashes; `..` is taken up where it can be and stays in front otherwise. */
export const normalise = (path: string): string => {
  if (!SUPERFLUOUS.test(isAbsolute(path) ? path.slice(1) : path)) return path
  const kept: Array<string> = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") kept.push(part)
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop()
    else if (!isAbsolute(path)) kept.push("..")
  }
  return isAbsolute(path) ? `/${kept.join("/")}` : kept.join("/")
}

/** Whether a path is written as a folder's is, by its end: no file lies at `a.md/`, whatever lies at `a.md`. */
export const namesFolder = (path: string): boolean => /\/$|(?:^|\/)\.{1,2}$/.test(path)

/** The absolute path that `path` means in `folder`; an absolute one means itself. */
export const join = (folder: string, path: string): string =>
  normalise(isAbsolute(path) ? path : `${folder}/${path}`)

/** The folder that holds a path; the root holds itself. */
export const parent = (path: string): string => normalise(path.slice(0, path.lastIndexOf("/") + 1) || ".")

/** Whether a normalised absolute path is `folder` or lies below it: `/a/bc` is not inside `/a/b`. */
export const isInside = (folder: string, path: string): boolean =>
  path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`)

/** What is left of `path` below `folder`, which it must lie inside; empty for the folder itself. */
export const below = (folder: string, path: string): string =>
  path.slice(folder.endsWith("/") ? folder.length : folder.length + 1)
