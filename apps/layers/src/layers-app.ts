import type { Catalogue } from '@headrace/geo'
import { type App, defineApp } from '@headrace/server'
import { layerRoutes } from './layer-routes.ts'
import { tileRoute } from './tile-route.ts'

/**
 * Shows a catalogue of layers: `GET /layers`, `GET /layers/{name}` and `GET /layers/{name}/tiles/{z}/{x}/{y}.png`.
 * @example createServer({ engine, apps: [layersApp({ catalogue: await openCatalogue(dataDir) })], version })
 */
export function layersApp({ catalogue }: { readonly catalogue: Catalogue }): App {
  return defineApp({
    name: 'layers',
    tasks: [],
    routes(fastify) {
      layerRoutes(fastify, catalogue)
      tileRoute(fastify, catalogue)
    },
  })
}

/** The part of a Fastify server that an app is given. */
export type Routes = Parameters<NonNullable<App['routes']>>[0]
