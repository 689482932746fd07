import { storeSuite } from "../../conformance/store.ts"
import { inMemory } from "../../support/store.ts"

storeSuite("in memory", inMemory)
