import * as S from "../src/domain/Task.ts"; import * as R from "../src/domain/RunEvent.ts"; console.log(Object.keys(S).length+Object.keys(R).length)
