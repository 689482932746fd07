import { render } from "preact"
import { App } from "./App.tsx"
import { showTurns } from "./ShowTurns.ts"
import { makeWorld, WorldProvider } from "./World.ts"

const root = document.getElementById("root")
if (root !== null) {
  showTurns()
  root.replaceChildren()
  render(
    <WorldProvider value={makeWorld()}>
      <App />
    </WorldProvider>,
    root
  )
}
