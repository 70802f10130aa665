import type { Resources } from '@headrace/engine'
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../terminal/duration.ts'

/** `90s`, `15m`, `2h`, `30d` or plain seconds, in milliseconds. */
export function parseDurationOption(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('Give a duration such as 90s, 15m, 2h or 30d.')
  return ms
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('Give a port from 0 to 65535; 0 takes any free one.')
}

export function parseInteger(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Give a whole number.')
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }

/** @example parseSizeBytes('16GiB') // 17179869184 */
export function parseSizeBytes(text: string): number {
  const [, count = '', unit] = /^(\d{1,15})([KMGT]iB)?$/.exec(text) ?? []
  const sizeBytes = Number(count) * (unit === undefined ? 1 : (BYTES_PER_UNIT[unit] ?? 1))
  if (count !== '' && sizeBytes > 0 && Number.isSafeInteger(sizeBytes)) return sizeBytes
  throw new InvalidArgumentError('Give a number of bytes, such as 500000, 64MiB or 16GiB.')
}

/** Collects an option that may be given several times. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

/**
 * Slots by queue, as `geo=4,default=10`.
 * @example parseQueues('geo=4,default=10') // { geo: 4, default: 10 }
 */
export function parseQueues(text: string): Readonly<Record<string, number>> {
  const entries = text.split(',').map((part) => {
    const [, queue, slots] = /^\s*([\w.-]+)\s*=\s*(\d{1,4})\s*$/.exec(part) ?? []
    if (queue === undefined || slots === undefined || Number(slots) < 1) {
      throw new InvalidArgumentError(`"${part}" is not a queue with its slots. Write it like geo=4,default=10.`)
    }
    return [queue, Number(slots)] as const
  })
  return Object.fromEntries(entries)
}

/**
 * What a worker offers, one resource at a time.
 * @example parseOffer('slots.licence=1', { cpu: 4 }) // { cpu: 4, slots: { licence: 1 } }
 */
export function parseOffer(text: string, before: Resources = {}): Resources {
  const [, name = '', amount = ''] = /^([\w.-]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? []
  if (PLAIN_RESOURCES.includes(name)) return { ...before, [name]: Number(amount) }
  const slot = /^slots\.(.+)$/.exec(name)?.[1]
  if (slot !== undefined) return { ...before, slots: { ...before.slots, [slot]: Number(amount) } }
  throw new InvalidArgumentError(
    `Give ${PLAIN_RESOURCES.join(', ')} or slots.NAME and a number, such as memoryMb=16000.`,
  )
}

const PLAIN_RESOURCES: readonly string[] = ['cpu', 'memoryMb', 'gpuMemoryMb']
