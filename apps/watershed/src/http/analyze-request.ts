import { ListedError } from './error-shapes.ts'
import type { Request, Routes } from './routes.ts'

/** What a request to analyse holds: the area, still unread, and what its sender should know. */
export type AnalyzeRequest = { readonly area: unknown; readonly messages: readonly string[] }

const AREA_FIELDS = ['area_of_interest', 'wkaoi', 'huc'] as const
type AreaFields = { readonly [field in (typeof AREA_FIELDS)[number]]?: unknown }

const OLD_STYLE =
  'A body that is the GeoJSON itself, with wkaoi and huc as query parameters, is the old style of the /analyze/ APIs. ' +
  'Please send all in the request body, as { area_of_interest, wkaoi, huc }.'

/**
 * Reads both styles: `{ area_of_interest, wkaoi, huc }`, and the older one in which the body is the area itself and the
 * other two are query parameters. An area goes before the rest, as upstream.
 * @throws {ListedError} when there is no area
 */
export function readAnalyzeRequest({ body, query }: Request): AnalyzeRequest {
  const isNewStyle = isObject(body) && AREA_FIELDS.some((field) => field in body)
  if (isNewStyle) return { area: requireArea(body), messages: [] }
  const { wkaoi, huc } = query as AreaFields // sound: a query is an object of anything
  return {
    area: requireArea({ area_of_interest: isEmpty(body) ? undefined : body, wkaoi, huc }),
    messages: [OLD_STYLE],
  }
}

/** The article of 2016 posts forms: `request.POST['area_of_interest']`. */
export function takeForms(fastify: Routes): void {
  fastify.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, text, done) => done(null, Object.fromEntries(new URLSearchParams(text))),
  )
}

function requireArea({ area_of_interest: area, wkaoi, huc }: AreaFields): unknown {
  if (isGiven(area)) return area
  const [name] = isGiven(wkaoi) ? ['wkaoi'] : isGiven(huc) ? ['huc'] : []
  if (name !== undefined) {
    throw new ListedError(
      `Areas by ${name} are not available here, since no boundaries are loaded. Send the area itself as area_of_interest.`,
    )
  }
  throw new ListedError('There is no area. Send area_of_interest, a GeoJSON Polygon, MultiPolygon or Feature of one.')
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function isEmpty(body: unknown): boolean {
  return !isGiven(body) || (isObject(body) && Object.keys(body).length === 0)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
