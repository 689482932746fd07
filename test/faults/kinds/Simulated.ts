import { type Fault, struck } from "../Fault.ts"
import { between, pick } from "../Random.ts"
import { simulate } from "../simulation/Simulation.ts"

/** Two processes die at random steps, the third does what is left. */
export const simulated: Fault = {
  name: "simulation: death at a random step, twice",
  needs: [],
  rounds: 2_000,
  sample: [0],
  found: "",
  round: async ({ random }) => {
    const plan = {
      seed: between(random, 1, 2 ** 31),
      deaths: [between(random, 1, 2_500), between(random, 1, 2_500)],
      restless: pick(random, [0, 0.01, 0.03]),
      refusals: pick(random, [0, 0.15])
    }
    const { violations } = simulate(plan)
    return struck(violations.map((violation) => `${JSON.stringify(plan)}: ${violation}`))
  }
}

/** Steps of the life that dies at each of its points. */
const STEPS = 1_200

/** One life, which dies at every point in turn. */
export const everyPoint: Fault = {
  name: "simulation: death at each step of one life",
  needs: [],
  rounds: STEPS,
  sample: [90],
  found: "",
  round: async ({ number }) => {
    const { violations } = simulate({ seed: 7, deaths: [number + 1], restless: 0, refusals: 0 })
    return struck(violations.map((violation) => `step ${number + 1}: ${violation}`))
  }
}
