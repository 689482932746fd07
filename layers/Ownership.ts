import { lchownSync, statSync } from "node:fs"

/**
 * What root makes in the place of a service belongs to whom `like`, the folder or the file before it, belongs to: the
 * service itself must be able to open it. Anybody else's files are their own, and stay as they are.
 */
export const ownedLike = (file: string, like: string): void => {
  if (process.getuid?.() !== 0) return
  const { gid, uid } = statSync(like)
  if (uid !== 0) lchownSync(file, uid, gid)
}
