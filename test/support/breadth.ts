/** Whether this run tries everything that `npm test` only samples: `npm run test:long` does. */
export const isLong = process.env.AGENT_RUNTIME_TEST_LONG === "1"
