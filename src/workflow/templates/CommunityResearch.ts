import type { Template } from "../../domain/WorkflowTemplate.ts"

const PLATFORM = "docs/aibtc-platform.md"
const FOLDER = "community-wiki"

/** From first reading to a reviewed wiki page, one state after the other. */
export const communityResearch: Template = {
  name: "community-research",
  initial_state: "discover-aibtc-basics",
  context: {},
  states: {
    "discover-aibtc-basics": {
      task: {
        kind: "community-research",
        priority: 6,
        subject: "Research the basics: {{context.topic | the AIBTC platform}}",
        description:
          "Read the sources, check what they say against each other, and write down what a newcomer has to know. Name the source of each statement, and what stays unclear.",
        payload: {
          topic: "{{context.topic | the AIBTC platform}}",
          focus: "{{context.current_focus | platform-basics}}",
          output_path: `{{context.output_path | ${FOLDER}/aibtc-basics.md}}`,
          sources: [PLATFORM, "docs/aibtc-news.md"]
        }
      },
      advance_on: { "community-research": "basics_researched" },
      on: { basics_researched: "draft-community-wiki-outline" }
    },
    "draft-community-wiki-outline": {
      task: {
        kind: "community-wiki-outline",
        priority: 5,
        subject: "Outline the community wiki",
        description:
          "From what was researched, draft the outline of a wiki: its pages in the order in which a newcomer needs them, with two or three sentences on what each of them answers.",
        payload: {
          focus: "wiki-outline",
          output_path: {
            $first: [
              "{{context.outline_path}}",
              `${FOLDER}/{{context.slug}}-outline.md`,
              `${FOLDER}/outline.md`
            ]
          }
        }
      },
      advance_on: { "community-wiki-outline": "outline_complete" },
      on: { outline_complete: "research-wallet-onboarding" }
    },
    "research-wallet-onboarding": {
      task: {
        kind: "wallet-onboarding-research",
        priority: 6,
        subject: "Research how an agent gets its wallet",
        description:
          "Find out, step by step, how an agent comes to a wallet of its own: what it needs beforehand, what each step yields, where it can go wrong and how one notices.",
        payload: {
          focus: "wallet-onboarding",
          output_path: `${FOLDER}/lumen-wallet-onboarding.md`,
          sources: [PLATFORM]
        }
      },
      advance_on: { "wallet-onboarding-research": "wallet_research_complete" },
      on: { wallet_research_complete: "draft-wallet-setup-guide" }
    },
    "draft-wallet-setup-guide": {
      task: {
        kind: "wallet-setup-guide",
        priority: 5,
        subject: "Write the guide to setting up a wallet",
        description:
          "Turn the research into a guide that somebody can follow without asking: numbered steps, what to see after each, and what to do when it looks different.",
        payload: { focus: "wallet-guide", output_path: `${FOLDER}/lumen-wallet-setup-guide.md` }
      },
      advance_on: { "wallet-setup-guide": "guide_ready" },
      on: { guide_ready: "review-and-publish-wiki" }
    },
    "review-and-publish-wiki": {
      task: {
        kind: "community-wiki-review",
        priority: 4,
        subject: "Review the wiki before it is published",
        description:
          "Read outline, research and guide as a newcomer would. List what is wrong, missing or unproved, with the place of each, and say whether the wiki can be published as it is.",
        payload: { focus: "review", output_path: `${FOLDER}/review.md` }
      },
      complete_on: ["community-wiki-review"]
    }
  }
}
