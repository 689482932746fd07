// Templates of workflows as they come over the wire.

export interface TemplateState {
  readonly on?: { readonly [signal: string]: string } | undefined
  readonly complete_on?: ReadonlyArray<string> | undefined
}

export interface Template {
  readonly name: string
  readonly initial_state: string
  readonly states: { readonly [name: string]: TemplateState }
}
