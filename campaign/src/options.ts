import { parseArgs } from 'node:util'

export type CampaignOptions = {
  readonly minutes: number
  /** `sqlite`, `postgres` for a server of its own, or the URL of one that is not stopped. */
  readonly store: string
  readonly seed: number
  readonly json: boolean
}

export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const USAGE = `npm run campaign -- [--minutes N] [--store sqlite|postgres|postgres://…] [--seed S] [--json]`

/** @throws {UsageError} with what is wrong and how it is used */
export function parseOptions(args: readonly string[]): CampaignOptions {
  const { minutes, store, seed, json } = parse(args)
  if (!(Number(minutes) > 0 && Number(minutes) <= 1_440)) throw usage(`--minutes ${minutes}: a number up to 1440`)
  if (!/^\d{1,9}$/.test(seed)) throw usage(`--seed ${seed}: a whole number of up to nine digits`)
  if (!/^(sqlite|postgres|postgres(ql)?:\/\/.+)$/.test(store))
    throw usage(`--store ${store}: sqlite, postgres or a URL`)
  return { minutes: Number(minutes), store, seed: Number(seed), json }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '1' },
        store: { type: 'string', default: 'sqlite' },
        seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

function usage(what: string): UsageError {
  return new UsageError(`${what}\n${USAGE}`)
}
