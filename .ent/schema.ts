import {Effect,Schema} from "effect"; console.log(Schema.String.ast._tag)
