import * as S from "../src/cli/commands.ts"; console.log(Object.keys(S).length)
