import { task } from '@headrace/engine'

/** Does nothing, through the store and a worker, to show that both work. In a queue of its own, so that it never waits behind work. */
export const healthTask = task({
  name: 'headrace.health',
  description: 'Shows that jobs are taken and ended.',
  queue: 'headrace.health',
  deadlineMs: 10_000,
  run: () => 'well',
})
