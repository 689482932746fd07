import * as fs from "node:fs"

/** Whether there is a file that this user can run. */
export const isProgram = (place: string): boolean => {
  try {
    fs.accessSync(place, fs.constants.X_OK)
    return fs.statSync(place).isFile()
  } catch {
    return false
  }
}
