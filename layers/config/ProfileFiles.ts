import { Either } from "effect"
import { judge } from "../../src/config/Issues.ts"
import { misnamed } from "../../src/config/References.ts"
import { Profile } from "../../src/domain/Profile.ts"
import type { Judge } from "./NamedFiles.ts"

/** Decodes a profile that says of itself what the configuration calls it. */
export const judgeProfile: Judge<Profile> = (id, value) =>
  Either.flatMap(judge(Profile)(value), (profile) => {
    const wrong = misnamed("profile_id", id, profile.profileId)
    return wrong.length === 0 ? Either.right(profile) : Either.left(wrong)
  })
