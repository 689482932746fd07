import { useState } from "preact/hooks"
import { problem } from "../Api.ts"
import { Field } from "../parts/Field.tsx"
import { sentence } from "../Words.ts"
import { useTitle, useWorld } from "../World.ts"

/** Asks for the token that this runtime wants from everybody who is not on its host. */
export const Login = () => {
  const world = useWorld()
  const [token, setToken] = useState("")
  const [wrong, setWrong] = useState<string>()
  const [busy, setBusy] = useState(false)
  useTitle("Sign in")
  const signIn = async () => {
    setBusy(true)
    setWrong(undefined)
    try {
      await world.api.post("/login", { token: token.trim() })
      setToken("")
      world.locked.set(false)
      world.epoch.set(world.epoch.get() + 1)
      world.tryNow()
    } catch (error) {
      const { message, status } = problem(error)
      setWrong(
        status === 401
          ? "This token is not known here. Look into the configuration under http.tokens, or ask who runs this."
          : sentence(message)
      )
    }
    setBusy(false)
  }
  return (
    <form
      class="login"
      onSubmit={(event) => {
        event.preventDefault()
        void signIn()
      }}
    >
      <h1 tabIndex={-1}>Sign in</h1>
      <p class="muted">
        This runtime asks everybody on the network for a token. It is kept in a cookie that scripts cannot
        read.
      </p>
      <Field
        label="Token"
        class="secret"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={token}
        set={setToken}
        wrong={wrong}
      />
      <p class="buttons">
        <button type="submit" class="primary" disabled={busy || token.trim() === ""}>
          Sign in
        </button>
      </p>
    </form>
  )
}
