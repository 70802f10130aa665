import { type Area, type AreaLimits, GeoError, parseArea } from '@headrace/geo'
import { z } from 'zod'

const GEOMETRY = { type: 'object', required: ['type', 'coordinates'] }
const JSON_SCHEMA_OF_AREA = {
  oneOf: [
    {
      ...GEOMETRY,
      title: 'Geometry',
      properties: {
        type: { type: 'string', enum: ['Polygon', 'MultiPolygon'] },
        coordinates: { type: 'array', items: {} },
      },
    },
    {
      type: 'object',
      title: 'Feature',
      required: ['type', 'geometry'],
      properties: { type: { type: 'string', enum: ['Feature'] }, geometry: GEOMETRY, properties: {} },
    },
    { type: 'string', title: 'Text', description: 'The same as JSON text.', contentMediaType: 'application/geo+json' },
  ],
}

/** An area of interest as someone sends it; read into an `Area`, or refused with what is wrong with it. */
export function areaInput(limits: Partial<AreaLimits>) {
  return z
    .unknown()
    .transform((value, context): Area => {
      try {
        return parseArea(value, limits)
      } catch (error) {
        if (!(error instanceof GeoError)) throw error
        context.addIssue({ code: 'custom', message: error.message })
        return z.NEVER
      }
    })
    .meta({
      title: 'Area of interest',
      description:
        'A GeoJSON Polygon, MultiPolygon, or Feature of one, as an object or as JSON text, in WGS 84 longitude and latitude, ' +
        'two-dimensional, with closed rings that do not cross themselves. Cells are counted whose centre lies in it.',
      ...JSON_SCHEMA_OF_AREA,
    })
}
