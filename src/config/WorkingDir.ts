import { Option } from "effect"
import type { AdapterSettings } from "./AdapterSettings.ts"
import { folderOf } from "./Paths.ts"
import type { Settings } from "./RuntimeConfig.ts"

/**
 * Where an adapter's attempts run, absolute: its `workingDir`, else the folder of the configuration file (as
 * in the original runtime), never wherever somebody happened to start the program. None for modes without a
 * process of their own.
 */
export const workingDirOf = (
  adapter: AdapterSettings,
  settings: Pick<Settings, "configPath">
): Option.Option<string> =>
  adapter.mode === "script" || adapter.mode === "agent-cli"
    ? Option.some(
        Option.match(adapter.workingDir, {
          onNone: () => folderOf(settings.configPath),
          onSome: ({ path }) => path
        })
      )
    : Option.none()
