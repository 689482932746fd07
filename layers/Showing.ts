import { Layer } from "effect"
import * as DiskArtifacts from "./artifact/DiskArtifacts.ts"
import * as DiskAudit from "./artifact/DiskAudit.ts"
import { folders, reading, withSettings } from "./Reading.ts"

const artifacts = withSettings(({ artifactDir }) =>
  Layer.merge(DiskArtifacts.layer(artifactDir), DiskAudit.layer(artifactDir))
).pipe(Layer.provide(folders))

/** What shows evidence as well: the artifact root and the folders of attempts. */
export const showing = (configPath: string) => Layer.provideMerge(artifacts, reading(configPath))
