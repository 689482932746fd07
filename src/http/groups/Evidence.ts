import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { Report, SnapshotLabel } from "../../domain/Snapshot.ts"
import { ArtifactFile, ArtifactFolder } from "../../operate/answers/Artifacts.ts"
import { LatestReport, ShownSnapshot, SnapshotList, TakenSnapshot } from "../../operate/answers/Snapshots.ts"
import * as Bundles from "../../operate/Bundles.ts"
import { maybe, orNull, query, strict, withStatus, words } from "../Contract.ts"

const id = HttpApiSchema.param("id", Schema.String)

/** What `POST /api/snapshots` takes. */
export const SnapshotBody = strict(Schema.Struct({ label: orNull(SnapshotLabel) }))

/** Files below the artifact root, bundles, snapshots and reports. */
export const Evidence = HttpApiGroup.make("evidence")
  .add(
    HttpApiEndpoint.get("artifacts", "/api/artifacts")
      .setUrlParams(query({ path: maybe(words) }))
      .addSuccess(ArtifactFolder)
      .annotate(OpenApi.Summary, "What lies in a folder below the artifact root")
  )
  .add(
    HttpApiEndpoint.get("artifact", "/api/artifact")
      .setUrlParams(query({ path: words }))
      .addSuccess(ArtifactFile)
      .annotate(OpenApi.Summary, "A file below the artifact root")
  )
  .add(
    HttpApiEndpoint.get("bundleDiff", "/api/bundles/diff")
      .setUrlParams(query({ a: words, b: words }))
      .addSuccess(Bundles.diff.output)
      .annotate(OpenApi.Summary, "Which inputs changed between two attempts")
  )
  .add(
    HttpApiEndpoint.get("bundle")`/api/bundles/${id}`
      .addSuccess(Bundles.show.output)
      .annotate(OpenApi.Summary, "A bundle as it was recorded, by its id, its attempt's or its task's")
  )
  .add(
    HttpApiEndpoint.get("snapshots", "/api/snapshots")
      .addSuccess(SnapshotList)
      .annotate(OpenApi.Summary, "The snapshots, newest first")
  )
  .add(
    HttpApiEndpoint.post("takeSnapshot", "/api/snapshots")
      .setPayload(SnapshotBody)
      .addSuccess(withStatus(201, TakenSnapshot))
      .annotate(OpenApi.Summary, "Captures the state of now")
  )
  .add(
    HttpApiEndpoint.get("snapshot", "/api/snapshot")
      .setUrlParams(query({ path: words }))
      .addSuccess(ShownSnapshot)
      .annotate(OpenApi.Summary, "A snapshot as its file has it; path is its name")
  )
  .add(
    HttpApiEndpoint.get("report", "/api/report")
      .setUrlParams(query({ before: words, after: words }))
      .addSuccess(Report)
      .annotate(OpenApi.Summary, "Compares two snapshots")
  )
  .add(
    HttpApiEndpoint.get("latestReport", "/api/report/latest")
      .addSuccess(LatestReport)
      .annotate(OpenApi.Summary, "Compares the two newest snapshots; null when there are not two")
  )
