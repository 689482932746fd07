import { Effect, Option } from "effect"
import { join } from "../artifact/FilePath.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { isPlainName } from "../context/Skills.ts"
import { Workspace } from "../context/Workspace.ts"
import { traced } from "../domain/Traced.ts"
import { SkillList } from "./answers/Skills.ts"
import { operation } from "./Operation.ts"

/** Folders that are looked into in each of `skillDirs`. */
const MOST_FOLDERS = 1_000
const LOOKED_AT_ONCE = 16

/** The skills that a task may name: each folder of `skillDirs` that has a SKILL.md, by name, each once. */
export const list = operation({
  name: "skills.list",
  role: "read",
  output: SkillList,
  run: traced("Skills.list")(function* (_: object) {
    const settings = yield* RuntimeConfig
    const workspace = yield* Workspace
    const found = yield* Effect.forEach(settings.skillDirs, ({ path }) =>
      Effect.flatMap(workspace.folders(path, MOST_FOLDERS), (names) =>
        Effect.filter(
          names.filter(isPlainName),
          (name) =>
            Effect.map(
              workspace.observe(join(path, `${name}/SKILL.md`)),
              Option.exists(({ kind }) => kind === "file")
            ),
          { concurrency: LOOKED_AT_ONCE }
        )
      )
    )
    return { skills: [...new Set(found.flat())].sort().map((id) => ({ id })) }
  })
})
