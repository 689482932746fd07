import type { JSX } from "preact"
import { useCell } from "../UseCell.ts"
import { useWorld } from "../World.ts"

/** Where it is said why nothing can be changed. */
export const READ_ONLY = "read-only"

/** Whether whoever looks at the page may only read. */
export const useReadOnly = (): boolean => useCell(useWorld().role) === "read"

/** A button that changes something: dead for whoever may only read, and it says where the reason stands. */
export const Act = ({ disabled, type = "button", ...given }: JSX.IntrinsicElements["button"]) => {
  const isReadOnly = useReadOnly()
  return (
    <button
      {...given}
      type={type}
      disabled={isReadOnly || disabled === true}
      aria-describedby={isReadOnly ? READ_ONLY : undefined}
    />
  )
}
