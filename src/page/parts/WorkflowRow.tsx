import { useRef, useState } from "preact/hooks"
import { workflowHref } from "../Route.ts"
import { lostWords, waysIn } from "../task/WorkflowStory.ts"
import { useRecord } from "../UseRecord.ts"
import { useSeen } from "../UseSeen.ts"
import { touchesWorkflows } from "../UseStalled.ts"
import type { Workflow } from "../Wire.ts"
import type { Template } from "../WireTemplates.ts"
import { plainReason, sentence } from "../Words.ts"
import { Link } from "./Link.tsx"
import { Machine } from "./Machine.tsx"
import { Ago } from "./Moments.tsx"
import { type Told, toldAt, Waits, Ways, WorkflowMark } from "./OfWorkflow.tsx"
import { Nothing } from "./Said.tsx"

/** The ways that a workflow went, as far as its history tells. */
const Gone = ({ told }: { readonly told: Told }) => {
  const lost = lostWords(told.history)
  const ways = waysIn(told.history, told.created_at)
  return (
    <>
      {lost === undefined ? null : <Nothing>{lost}</Nothing>}
      {ways.length === 0 && lost === undefined ? <Nothing>It has not left its first state.</Nothing> : null}
      <Ways ways={ways} />
    </>
  )
}

/** A workflow of a list: how it is, where it stands and why, and its machine with the ways that it went. */
export const WorkflowRow = ({
  template,
  workflow
}: {
  readonly workflow: Workflow
  readonly template: Template | undefined
}) => {
  const row = useRef<HTMLLIElement>(null)
  const [isOpen, setOpen] = useState(false)
  // Its history is asked for where somebody looks at it.
  const isLookedAt = useSeen(row) || isOpen
  const told = useRecord<Told>(isLookedAt ? toldAt(workflow.id) : undefined, touchesWorkflows).data
  return (
    <li class="workflow" ref={row}>
      <div class="workflow-head">
        <WorkflowMark workflow={workflow} />
        <Link href={workflowHref(workflow.id)} class="subject" row="">
          {workflow.instance_key}
        </Link>
        <span class="muted">
          {workflow.template} · in {workflow.current_state} · <Ago at={workflow.updated_at} />
        </span>
      </div>
      {workflow.stalled_reason === null ? null : (
        <p class="line tone-blocked">
          {sentence(plainReason(workflow.stalled_reason))}{" "}
          <Link href={workflowHref(workflow.id)} class="button">
            Move it on
          </Link>
        </p>
      )}
      <Waits workflow={workflow} />
      {template === undefined || workflow.status === "completed" ? null : (
        <Machine
          template={template}
          current={workflow.current_state}
          status={workflow.status}
          taken={told === undefined ? undefined : waysIn(told.history, told.created_at)}
        />
      )}
      <details class="given" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          Which way it went, and when<span class="hidden">: {workflow.instance_key}</span>
        </summary>
        {!isOpen ? null : told === undefined ? <p class="loading">Loading…</p> : <Gone told={told} />}
      </details>
    </li>
  )
}
