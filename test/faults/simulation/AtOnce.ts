/** What a promise would tell, told at once: Effect takes it where it stands, in the step that asked. */
const told = (bytes: ArrayBuffer) =>
  // biome-ignore lint/suspicious/noThenProperty: it is to be taken for a promise
  ({ then: (tell: (bytes: ArrayBuffer) => unknown) => tell(bytes) }) as unknown as Promise<ArrayBuffer>

/**
 * Runs something while WebCrypto's digest, the one thing that the programs wait for outside of Effect, answers at
 * once: a thread that hashes ends when it likes, which no seed decides.
 */
export const hashingAtOnce = <A>(run: () => A): A => {
  const { digest } = crypto.subtle
  crypto.subtle.digest = (_, data) => {
    const hash = new Bun.CryptoHasher("sha256").update(
      new Uint8Array(ArrayBuffer.isView(data) ? data.buffer : data)
    )
    return told(new Uint8Array(hash.digest()).buffer)
  }
  try {
    return run()
  } finally {
    crypto.subtle.digest = digest
  }
}
