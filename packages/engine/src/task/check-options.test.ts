import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOptions } from './check-options.ts'

const refused = (options: Parameters<typeof checkOptions>[0], message: RegExp) =>
  assert.throws(() => checkOptions(options), { code: 'option_invalid', message })

test('sensible options pass', () => {
  checkOptions({})
  checkOptions({
    queue: 'gpu',
    priority: -3,
    delayMs: 0.5,
    deadlineMs: 60_000,
    tags: ['a'],
    idempotencyKey: 'k',
    concurrency: 1,
    limit: { key: 'training:12' },
    labels: ['gpu', 'region=eu'],
    needs: { cpu: 0.5, slots: { licence: 1 } },
    deployment: '3f125fd',
  })
})

test('an option that could not be stored is refused with its name, its value and what it may be', () => {
  refused({ priority: 1.5 }, /^priority is 1\.5; it must be a whole number/)
  refused({ delayMs: Number.NaN }, /^delayMs is NaN; it must be milliseconds/)
  refused({ deadlineMs: -1 }, /^deadlineMs is -1/)
  refused({ deadlineMs: Number.POSITIVE_INFINITY }, /^deadlineMs is Infinity/)
  refused({ queue: '' }, /^queue is a text of 0 characters/)
  refused({ idempotencyKey: 'k'.repeat(256) }, /^idempotencyKey is a text of 256 characters/)
  refused({ tags: Array.from({ length: 51 }, () => 't') }, /^tags is 51 of them; it must be at most 50/)
  refused({ concurrency: 0 }, /^concurrency is 0/)
  refused({ deployment: 'a b' }, /^deployment is "a b"; it must be 1 to 63 letters/)
  refused({ labels: ['gpu', 'region='] }, /^labels is "region="; it must be a name or name=value/)
  refused({ labels: Array.from({ length: 21 }, () => 'x') }, /^labels is 21 of them; it must be at most 20/)
  refused({ needs: { cpu: 0 } }, /^needs\.cpu is 0; it must be a number more than 0/)
  refused({ needs: { memoryMb: Number.NaN } }, /^needs\.memoryMb is NaN/)
  refused({ needs: { disk: 1 } as never }, /^needs is of disk; it must be of cpu, memoryMb, gpuMemoryMb or slots/)
  refused({ needs: { slots: { 'a b': 1 } } }, /^a name in needs\.slots is "a b"/)
  refused({ needs: { slots: { licence: -1 } } }, /^needs\.slots\.licence is -1/)
  refused({ limit: { key: '' } }, /^limit\.key is a text of 0 characters/)
  refused({ limit: { key: 'k', max: 0 } }, /^limit\.max is 0; it must be a whole number from 1 to 1000000/)
  refused(
    { limit: { key: 'k', whenFull: 'drop' as never } },
    /^limit\.whenFull is drop; it must be one of wait, reject/,
  )
})
