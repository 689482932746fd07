import * as S from "../layers/store/SqlStore.ts"; console.log(Object.keys(S).length)
