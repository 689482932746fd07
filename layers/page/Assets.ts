import { bundle } from "./bundle.ts" with { type: "macro" }

/** The page's script and style sheet, built in when this module is compiled. */
export const { script, style } = bundle()
