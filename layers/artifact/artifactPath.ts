import { Either } from "effect"
import { PathRefused } from "../../src/artifact/ArtifactStore.ts"
import { below, isAbsolute, isInside, normalise } from "../../src/artifact/FilePath.ts"

/**
 * What a path means below the artifact root, as text: normalised and relative, empty for the root itself. An
 * absolute path passes where it lies inside one of the root's names.
 */
export const artifactPath = (
  path: string,
  roots: ReadonlyArray<string>
): Either.Either<string, PathRefused> => {
  const refuse = (why: string) => Either.left(new PathRefused({ path, why }))
  if (path.includes("\0")) return refuse("holds a NUL character, which no file name can")
  const plain = normalise(path)
  if (isAbsolute(plain)) {
    const root = roots.find((one) => isInside(one, plain))
    return root === undefined
      ? refuse("is absolute and lies outside the artifact root; paths are relative to it")
      : Either.right(below(root, plain))
  }
  return plain === ".." || plain.startsWith("../")
    ? refuse("leads out of the artifact root")
    : Either.right(plain)
}

/** A path inside one of the root's names as one relative to it; any other path as it is. */
export const relativePath = (path: string, roots: ReadonlyArray<string>): string => {
  if (!isAbsolute(path)) return path
  const plain = normalise(path)
  const root = roots.find((one) => one !== plain && isInside(one, plain))
  return root === undefined ? path : below(root, plain)
}

/** The name of the n-th older version of a file: `<name>.<n>.md`, the `.md` of a Markdown file taken off first. */
export const oldVersion = (path: string, n: number): string => `${path.replace(/\.md$/i, "")}.${n}.md`
