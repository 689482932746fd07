import { HttpApiBuilder } from "@effect/platform"
import { Option } from "effect"
import * as Artifacts from "../../operate/Artifacts.ts"
import * as Bundles from "../../operate/Bundles.ts"
import * as Snapshots from "../../operate/Snapshots.ts"
import { answer } from "../Answer.ts"
import { Api } from "../Api.ts"
import { taking } from "../Body.ts"
import { SnapshotBody } from "../groups/Evidence.ts"

export const evidence = HttpApiBuilder.group(Api, "evidence", (handlers) =>
  handlers
    .handle("artifacts", ({ urlParams: { path = "" } }) => answer(Artifacts.list, { path }))
    .handle("artifact", ({ urlParams: { path } }) => answer(Artifacts.show, { path }))
    .handle("bundleDiff", ({ urlParams: { a, b } }) => answer(Bundles.diff, { a, b }))
    .handle("bundle", ({ path: { id } }) => answer(Bundles.show, { id }))
    .handle("snapshots", () => answer(Snapshots.list, {}))
    .handleRaw("takeSnapshot", () =>
      taking(SnapshotBody, ({ label }) =>
        answer(Snapshots.create, { label: Option.fromNullable(label) }, 201)
      )
    )
    .handle("snapshot", ({ urlParams: { path } }) => answer(Snapshots.show, { path }))
    .handle("report", ({ urlParams: { after, before } }) => answer(Snapshots.report, { before, after }))
    .handle("latestReport", () => answer(Snapshots.latestReport, {}))
)
