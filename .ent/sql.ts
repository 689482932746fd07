import * as S from "@effect/sql/SqlClient"; import * as R from "@effect/experimental/Reactivity"; console.log(Object.keys(S).length)
