import { z } from 'zod'

/** Which values are in range, and which cron expressions can be, the engine says. */
export const ScheduleBody = z.strictObject({
  process: z.string(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  cron: z.string().max(255),
  timeZone: z.string().max(255).optional(),
  overlap: z.enum(['skip', 'buffer-one', 'allow', 'cancel-running']).optional(),
  catchUp: z.enum(['none', 'one', 'all']).optional(),
  catchUpWindowMs: z.number().optional(),
  jitterMs: z.number().optional(),
  queue: z.string().optional(),
  priority: z.number().optional(),
  tags: z.array(z.string()).optional(),
  deadlineMs: z.number().optional(),
  owner: z.string().min(1).max(255).optional(),
})

const instant = z.iso.datetime({ offset: true, error: 'Give an instant such as 2026-11-01T00:00:00Z.' })

export const BackfillBody = z.strictObject({
  from: instant,
  to: instant,
  concurrency: z.number().optional(),
})
