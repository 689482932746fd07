import { Layer } from "effect"
import * as DiskArtifacts from "./artifact/DiskArtifacts.ts"
import * as DiskAudit from "./artifact/DiskAudit.ts"
import { reading, withSettings } from "./Reading.ts"

const artifacts = withSettings(({ artifactDir }) =>
  Layer.merge(DiskArtifacts.layer(artifactDir), DiskAudit.layer(artifactDir))
)

/** What shows evidence as well: the artifact root and the folders of attempts. */
export const showing = (configPath: string, ownReader = false) =>
  Layer.provideMerge(artifacts, reading(configPath, ownReader))
