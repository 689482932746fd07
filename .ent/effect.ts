import {Effect} from "effect"; Effect.runSync(Effect.sync(()=>console.log(1)))
