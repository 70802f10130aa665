import { useCallback, useState } from 'react'
import { asError } from './loadable.ts'

/** Something that a button asks of the server: one at a time, and what was refused is kept to be shown. */
export function useAction() {
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<string>()
  /** @returns whether it went well */
  const act = useCallback(async (action: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true)
    setRefusal(undefined)
    try {
      await action()
      return true
    } catch (thrown) {
      setRefusal(asError(thrown).message)
      return false
    } finally {
      setBusy(false)
    }
  }, [])
  return { isBusy, refusal, act, refuse: setRefusal }
}
