import { type Catalogue, openLayer, renderTile, type TileAddress, TileAddressInvalidError } from '@headrace/geo'
import { answeringGeoErrors } from './layer-problem.ts'
import type { Routes } from './layers-app.ts'
import { pictureOf } from './wire-layer.ts'

type Params = { readonly name: string; readonly z: string; readonly x: string; readonly y: string }

/** For a tile whose URL names the picture that it is of. It needs a credential, so no cache but the browser's may keep it. */
const KEEP_FOR_EVER = 'private, max-age=31536000, immutable'
/** For any other: keep it, and ask each time whether it is still the layer's. */
const ASK_AGAIN = 'private, no-cache'

/** Map tiles of 256 × 256 pixels in Web Mercator. Beyond the layer they are clear. */
export function tileRoute(fastify: Routes, catalogue: Catalogue): void {
  fastify.get(
    '/layers/:name/tiles/:z/:x/:y.png',
    { config: { scope: 'read-own', summary: 'A layer’s picture on one tile of the web’s map' } },
    async (request, reply) => {
      const params = request.params as Params // sound: the route names them
      const { v } = request.query as { v?: unknown } // sound: a query is an object of anything
      const address = await answeringGeoErrors(async () => parseAddress(params))
      using handle = await answeringGeoErrors(() => openLayer(catalogue, params.name))
      const picture = pictureOf(handle.layer)
      reply.header('cache-control', v === picture ? KEEP_FOR_EVER : ASK_AGAIN)
      reply.header('etag', `"${picture}"`)
      if (isKnown(request.headers['if-none-match'], picture)) return reply.code(304).send()
      return reply.type('image/png').send(await answeringGeoErrors(() => renderTile(handle, address)))
    },
  )
}

const ZOOM_MAX = 24

/** @throws {TileAddressInvalidError} for what is not three integers on the web's map */
function parseAddress(params: Params): TileAddress {
  const [z, x, y] = [params.z, params.x, params.y].map(parseInteger)
  const side = z !== undefined && z <= ZOOM_MAX ? 2 ** z : 0
  if (z !== undefined && x !== undefined && y !== undefined && x < side && y < side) return { z, x, y }
  throw new TileAddressInvalidError(params, ZOOM_MAX)
}

function parseInteger(text: string): number | undefined {
  return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : undefined
}

/** RFC 9110 section 13.1.2. */
function isKnown(ifNoneMatch: string | undefined, picture: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((tag) => ['*', `"${picture}"`, `W/"${picture}"`].includes(tag.trim()))
}
