import * as S from "../layers/Live.ts"; console.log(Object.keys(S).length)
