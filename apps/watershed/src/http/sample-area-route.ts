import { readFile } from 'node:fs/promises'
import type { Catalogue, SampleArea } from '@headrace/geo'
import { HttpProblem } from '@headrace/server'
import { sampleAreaPath } from '../sample/sample-folder.ts'
import type { Routes } from './routes.ts'

/** GET /api/watershed/sample-area: a GeoJSON Feature that lies on the synthetic sample layers, and says so. */
export function sampleAreaRoute(fastify: Routes, catalogue: Catalogue): void {
  fastify.get(
    '/api/watershed/sample-area',
    { config: { scope: 'read-own', summary: 'An area on the synthetic sample layers, to try an analysis with' } },
    async (_request, reply) => {
      const { type, properties, geometry } = await readSampleArea(catalogue)
      return reply.send({ type, properties: { ...properties, synthetic: true }, geometry })
    },
  )
}

async function readSampleArea(catalogue: Catalogue): Promise<SampleArea> {
  try {
    return JSON.parse(await readFile(sampleAreaPath(catalogue), 'utf8')) as SampleArea // written by makeSampleLayers
  } catch (cause) {
    throw new HttpProblem(
      {
        status: 404,
        code: 'sample_missing',
        title: 'There is no sample here',
        detail:
          'The synthetic sample was not made in this data folder, which had layers of its own. Use an area on one of them.',
      },
      { cause },
    )
  }
}
