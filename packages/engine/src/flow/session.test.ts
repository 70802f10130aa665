import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryPlace, openMemoryStore } from '@headrace/store-memory'
import { task } from '../task/task.ts'
import { workflow } from '../task/workflow.ts'
import { testSessions } from '../testing/sessions.ts'
import { Stage } from '../testing/stage.ts'
import type { Session } from './session.ts'

testSessions('memory', () => {
  const place = new MemoryPlace()
  return async (clock) => openMemoryStore({ clock, place })
})
testSessions('SQLite')

test('a session refuses an empty queue, what it does not know, and steps after its end', async () => {
  const where = task({ name: 'where', run: () => 'here' })
  let late: Session | undefined
  const flow = workflow({
    name: 'flow',
    run: async (_: null, flow) => {
      const messages: string[] = []
      const say = (error: unknown) => void messages.push(error instanceof Error ? error.message : '')
      await flow.session('', async () => {}).catch(say)
      await flow.session('gpu', async () => {}, { onLost: 'again' as 'fail' }).catch(say)
      await flow.session('gpu', async () => {}, { maxRestarts: -1 }).catch(say)
      await flow.session('gpu', async (s) => {
        late = s
      })
      await late?.call(where, null).catch(say)
      return messages
    },
  })
  await using stage = new Stage()
  const here = await stage.process([flow, where])
  await here.startWorker()
  const { result } = await here.run(flow, null)
  assert.deepEqual(result, [
    'The queue of a session is a text of 0 characters; it must be a text of 1 to 255 characters. Nothing was stored.',
    'onLost is again; it must be one of fail, restart. Nothing was stored.',
    'maxRestarts is -1; it must be a whole number from 0 to 1000. Nothing was stored.',
    'The session is over; it must be one whose body still runs. Nothing was stored.',
  ])
})
