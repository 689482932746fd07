import { Option } from "effect"
import type { Profile } from "../domain/Profile.ts"
import type { Settings } from "./RuntimeConfig.ts"

/**
 * The adapter that a task is meant for: the one it requests, else its profile's default where that is
 * configured, else the default of the configuration.
 */
export const intended = (
  requestedAdapter: Option.Option<string>,
  profile: Option.Option<Profile>,
  settings: Pick<Settings, "adapters" | "defaultAdapter">
): string =>
  Option.getOrElse(requestedAdapter, () =>
    Option.flatMapNullable(profile, (found) => found.defaultAdapter).pipe(
      Option.filter((id) => settings.adapters.has(id)),
      Option.getOrElse(() => settings.defaultAdapter)
    )
  )

/** What a task asks for, as far as it decides where the task runs. */
export interface Requested {
  readonly profile: Option.Option<string>
  readonly adapter: Option.Option<string>
}

/** The adapter that a request leads to; its profile, when it names none, is the configuration's default. */
export const intendedOf = (
  requested: Requested,
  settings: Pick<Settings, "adapters" | "profiles" | "defaultAdapter" | "defaultProfile">
): string => {
  const profile = Option.getOrElse(requested.profile, () => settings.defaultProfile)
  return intended(requested.adapter, Option.fromNullable(settings.profiles.get(profile)), settings)
}
