import type { Job } from '@headrace/client'
import type { Connection } from '../connection/connect.ts'
import { sampleAreaOf } from './sample-area.ts'

const PROCESS = 'watershed.analyze-land'
/** By name, for where other layers are loaded the sample stands in for nothing. */
const LAYER = 'sample-land'

/** Submits the land cover of the sample watershed. @throws {SampleMissingError} */
export async function submitDemo(connection: Connection): Promise<Job> {
  const area = await sampleAreaOf(connection)
  return connection.client.submit(PROCESS, { area, layer: LAYER }, { tags: ['demo'] })
}
