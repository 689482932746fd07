import { createContext, type JSX } from "preact"
import { useContext } from "preact/hooks"
import { useCell } from "../UseCell.ts"
import { useWorld } from "../World.ts"

/** Where it is said why nothing can be changed. */
export const READ_ONLY = "read-only"

/** Whether whoever looks at the page may only read. */
export const useReadOnly = (): boolean => useCell(useWorld().role) === "read"

const ObjectOfMoves = createContext<string | undefined>(undefined)

/** Says of the moves within it what they are of: the element with this id. */
export const MovesOf = ObjectOfMoves.Provider

/** The id of the element that says what a move is of; none where it stands with its object. */
export const useObject = (): string | undefined => useContext(ObjectOfMoves)

/** A button that changes something: dead for whoever may only read, and it says where the reason stands. */
export const Act = ({ disabled, type = "button", ...given }: JSX.IntrinsicElements["button"]) => {
  const isReadOnly = useReadOnly()
  const object = useObject()
  return (
    <button
      {...given}
      type={type}
      disabled={isReadOnly || disabled === true}
      aria-describedby={isReadOnly ? READ_ONLY : object}
    />
  )
}
