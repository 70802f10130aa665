import type { Release } from '@headrace/engine'
import { serveCache } from './cache.ts'
import { codeOf, tryAgain } from './connection/errors.ts'
import type { Session } from './connection/session.ts'
import type { Context } from './context.ts'
import { serveLimits } from './limits.ts'

/**
 * Acts upon what committed transactions have noted for limits and the result cache. What they did stands whatever comes of
 * this: where it fails, the next sweep does it.
 * @returns steps that were released by it
 */
export async function serveNotes(session: Session, context: Context): Promise<readonly Release[]> {
  const { notes } = context
  const released: Release[] = []
  try {
    while (!notes.isEmpty) {
      const cached = notes.takeCacheKeys()
      released.push(...(await tryAgain(() => serveCache(session, context, cached))))
      const limits = notes.takeLimitKeys()
      await tryAgain(() => serveLimits(session, context, limits))
    }
  } catch (error) {
    if (!session.isOver && codeOf(error) === undefined) throw error
  }
  return released
}
