import type { AreaLimits, Catalogue } from '@headrace/geo'
import { type App, defineApp } from '@headrace/server'
import { analyzeLand } from './analysis/analyze-land.ts'
import { analyzeSoil } from './analysis/analyze-soil.ts'
import type { Setup } from './analysis/setup.ts'
import { apiRoutes } from './http/api-routes.ts'
import { sampleAreaRoute } from './http/sample-area-route.ts'
import { defaultLayerNames, type LayerNames } from './layer/layer-names.ts'
import { tileTasks } from './tile/tile-tasks.ts'

export type WatershedOptions = {
  readonly catalogue: Catalogue
  /** Which layers serve which analysis; what is left out is as in `defaultLayerNames`. */
  readonly layerNames?: Partial<LayerNames>
  /** What an area may be at most; 75 000 km² and 100 000 vertices where left out. */
  readonly areaLimits?: Partial<AreaLimits>
  /** Rows and columns of a tile, a multiple of 256. Default 512. */
  readonly tileSide?: number
  /** The most jobs that one area becomes; where it has more tiles, a job counts several. Default 1,000. */
  readonly jobsMax?: number
}

const TILE_SIDE = 512
const JOBS_MAX = 1_000

/**
 * Watershed analysis as Model My Watershed offers it: land cover and soils of an area of interest, as processes
 * (`watershed.analyze-land`, `watershed.analyze-soil`), and under that system's own routes `/api/analyze/…` and `/api/jobs/…`.
 * @example
 * const app = watershedApp({ catalogue: await openCatalogue(dataDir) })
 * const engine = createEngine({ store, tasks: [...app.tasks] })
 */
export function watershedApp(options: WatershedOptions): App {
  const { catalogue } = options
  const setup: Setup = {
    catalogue,
    layerNames: { ...defaultLayerNames, ...options.layerNames },
    areaLimits: options.areaLimits ?? {},
    tiles: { tileSide: options.tileSide ?? TILE_SIDE, jobsMax: options.jobsMax ?? JOBS_MAX },
    tasks: tileTasks(catalogue),
  }
  return defineApp({
    name: 'watershed',
    tasks: [analyzeLand(setup), analyzeSoil(setup), ...Object.values(setup.tasks)],
    async routes(fastify, context) {
      sampleAreaRoute(fastify, catalogue)
      await fastify.register(async (api) => apiRoutes(api, context), { prefix: '/api' })
    },
    pages: [{ id: 'map', title: 'Map', path: '/app/map' }],
  })
}
