import { Schema } from "effect"
import { JsonObject } from "../../domain/Json.ts"
import { Report, Snapshot, SnapshotFile } from "../../domain/Snapshot.ts"
import { nullable, wireStruct } from "../../domain/Wire.ts"

/** `snapshot_path` is below the artifact root. */
export const TakenSnapshot = wireStruct({ snapshotPath: Schema.String, snapshot: Snapshot }).annotations({
  identifier: "TakenSnapshot"
})

/** Snapshots, newest first. */
export const SnapshotList = wireStruct({ snapshots: Schema.Array(SnapshotFile) }).annotations({
  identifier: "SnapshotList"
})

/** A snapshot as its file has it. */
export const ShownSnapshot = Schema.extend(SnapshotFile, wireStruct({ snapshot: JsonObject }))

/** The report of the two newest snapshots; null when there are not two. */
export const LatestReport = wireStruct({ report: nullable(Report) }).annotations({
  identifier: "LatestReport"
})
