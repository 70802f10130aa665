const leaving: (() => void)[] = []
let isListening = false

/** Does something when this process ends, however it ends short of being killed, unless that was called off before. */
export function atExit(leave: () => void): Disposable {
  if (!isListening) {
    isListening = true
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
    process.once('exit', () => {
      // The last one first: a server is stopped before its disk is taken away.
      while (leaving.length > 0) leaving.pop()?.()
    })
  }
  leaving.push(leave)
  return { [Symbol.dispose]: () => void leaving.splice(leaving.indexOf(leave), 1) }
}
