import { setTimeout as sleep } from 'node:timers/promises'
import { task } from '@headrace/engine'
import { z } from 'zod'

const Bbox = z.object({ bbox: z.array(z.number()).min(4).max(6), crs: z.string().optional() })

const Echoed = z.object({
  message: z.string().describe('Any text.'),
  numbers: z.array(z.int()).optional().describe('Whole numbers.'),
  box: Bbox.optional().describe('A bounding box, with its coordinate reference system.'),
  image: z
    .string()
    .optional()
    .meta({ description: 'A GeoTIFF.', format: 'byte', contentMediaType: 'image/tiff', contentEncoding: 'base64' }),
  anything: z.looseObject({}).optional().describe('Any object.'),
  pause: z.int().min(0).max(60).optional().describe('Seconds to wait before answering.'),
})

/**
 * Gives back what it was given: for trying out a client, and for OGC's executable test suite, which tests a process of
 * this name. Output ids are the input ids.
 */
export const echoTask = task({
  name: 'echo',
  title: 'Echo',
  description: 'Gives back its inputs, after a pause if you ask for one.',
  public: true,
  input: Echoed,
  output: Echoed,
  timeoutMs: 120_000,
  async run(input, job) {
    const { pause = 0 } = input
    for (let second = 0; second < pause; second++) {
      job.progress(second / pause, `pausing, ${pause - second} s left`)
      await sleep(1000, undefined, { signal: job.signal })
    }
    job.log('info', `echoing ${Object.keys(input).join(', ')}`)
    return input
  },
})
