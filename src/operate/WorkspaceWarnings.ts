import { Effect, Option } from "effect"
import type { AdapterSettings } from "../config/AdapterSettings.ts"
import { RuntimeConfig } from "../config/RuntimeConfig.ts"
import { workingDirOf } from "../config/WorkingDir.ts"
import { Workspace } from "../context/Workspace.ts"

/** Why attempts of an adapter that wants git worktrees would be blocked, as far as it can be seen now. */
export const workspaceWarnings = (adapter: AdapterSettings) =>
  Effect.gen(function* () {
    const dir = workingDirOf(adapter, yield* RuntimeConfig)
    if (adapter.workspace !== "worktree" || Option.isNone(dir)) return []
    const { gitSha, repository } = yield* (yield* Workspace).snapshot(dir.value)
    const remedy = 'set its workingDir to a folder of one, or workspace to "exclusive"'
    if (!repository)
      return [
        `workspace is "worktree", but ${dir.value} is no git repository, and its attempts will be blocked; ${remedy}`
      ]
    return Option.isSome(gitSha)
      ? []
      : [
          `workspace is "worktree", but the git repository of ${dir.value} has no commit yet, and its attempts will be blocked; commit something`
        ]
  })
