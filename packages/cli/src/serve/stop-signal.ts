/** A terminal sends Ctrl-C to the whole process group, and bin/node.cjs passes it on: one press arrives twice. */
const ECHO_MS = 500
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Resolves at the first signal that asks to stop. The next one, unless it is only an echo of the first, ends the process
 * at once.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  let firstAt: number | undefined
  return new Promise((resolve) => {
    for (const [signal, exitCode] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        const now = performance.now()
        if (firstAt === undefined) {
          firstAt = now
          resolve(signal as NodeJS.Signals) // sound: a key of SIGNALS
        } else if (now - firstAt > ECHO_MS) process.exit(exitCode)
      })
    }
  })
}
