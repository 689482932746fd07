// Files that are built into the binary as text.
declare module "*.sql" {
  const text: string
  export default text
}

declare module "*.sh" {
  const text: string
  export default text
}

declare module "*.awk" {
  const text: string
  export default text
}

declare module "*.md" {
  const text: string
  export default text
}

declare module "*.service" {
  const text: string
  export default text
}

declare module "*.timer" {
  const text: string
  export default text
}
