import type { Template } from "../../domain/WorkflowTemplate.ts"

const AGENT = "{{context.agent_name | Lumen}}"
const CHECKLIST = "{{context.checklist_path | community-wiki/lumen-wallet-checklist.md}}"

/** An agent's way to a wallet: the research writes a checklist, the next state makes it usable. */
export const walletOnboarding: Template = {
  name: "wallet-onboarding",
  initial_state: "research-registration-flow",
  context: {},
  states: {
    "research-registration-flow": {
      task: {
        kind: "wallet-registration-research",
        priority: 6,
        subject: `Research how ${AGENT} registers a wallet`,
        description:
          "Find out how the registration goes and write it down as a first checklist: one line a step, with what is needed for it and how one sees that it is done.",
        payload: {
          agent_name: AGENT,
          checklist_path: CHECKLIST,
          sources: ["docs/aibtc-platform.md"]
        }
      },
      advance_on: { "wallet-registration-research": "registration_researched" },
      on: { registration_researched: "draft-wallet-checklist" }
    },
    "draft-wallet-checklist": {
      task: {
        kind: "wallet-checklist-draft",
        priority: 5,
        subject: `Revise the wallet checklist of ${AGENT}`,
        description:
          "Go through the checklist as the one who has to work by it. Put it into the right order, add what is missing, take out what nobody can check.",
        payload: { agent_name: AGENT, checklist_path: CHECKLIST }
      },
      complete_on: ["wallet-checklist-draft"]
    }
  }
}
