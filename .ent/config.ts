import * as S from "../layers/config/ConfigFile.ts"; console.log(Object.keys(S).length)
