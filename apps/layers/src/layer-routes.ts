import { type Catalogue, getLayer, listLayers } from '@headrace/geo'
import type { LayerList, WireLayer } from '@headrace/wire'
import { answeringGeoErrors } from './layer-problem.ts'
import type { Routes } from './layers-app.ts'
import { toWireLayer } from './wire-layer.ts'

export function layerRoutes(fastify: Routes, catalogue: Catalogue): void {
  fastify.get('/layers', { config: { scope: 'read-own', summary: 'The raster layers that are loaded' } }, async () => {
    const layers = await answeringGeoErrors(() => listLayers(catalogue))
    return { layers: layers.map(toWireLayer) } satisfies LayerList
  })

  fastify.get(
    '/layers/:name',
    { config: { scope: 'read-own', summary: 'One layer: its grid, its extent and its legend' } },
    async (request): Promise<WireLayer> => {
      const { name } = request.params as { name: string } // sound: the route names it
      return toWireLayer(await answeringGeoErrors(() => getLayer(catalogue, name)))
    },
  )
}
