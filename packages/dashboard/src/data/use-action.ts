import { ProblemError } from '@headrace/client'
import type { Problem } from '@headrace/wire'
import { useCallback, useState } from 'react'
import { asError } from './loadable.ts'

export type Refused = { readonly message: string; readonly problem?: Problem }

/** Something that a button asks of the server: one at a time, and what was refused is kept to be shown. */
export function useAction() {
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<Refused>()
  /** @returns whether it went well */
  const act = useCallback(async (action: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true)
    setRefusal(undefined)
    try {
      await action()
      return true
    } catch (thrown) {
      const { message } = asError(thrown)
      setRefusal(thrown instanceof ProblemError ? { message, problem: thrown.problem } : { message })
      return false
    } finally {
      setBusy(false)
    }
  }, [])
  return { isBusy, refusal, act, refuse: (message: string) => setRefusal({ message }) }
}
