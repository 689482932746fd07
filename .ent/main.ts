import * as S from "../src/cli/Main.ts"; console.log(Object.keys(S).length)
