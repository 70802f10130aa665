import type { CellCounts } from '@headrace/geo'
import { z } from 'zod'
import { ClassAreas, shareOf } from './class-areas.ts'

/** The 16 classes of the National Land Cover Database in their order, with the codes of Model My Watershed. */
const NLCD = [
  { nlcd: 11, code: 'open_water', type: 'Open Water' },
  { nlcd: 12, code: 'perennial_ice', type: 'Perennial Ice/Snow' },
  { nlcd: 21, code: 'developed_open', type: 'Developed, Open Space' },
  { nlcd: 22, code: 'developed_low', type: 'Developed, Low Intensity' },
  { nlcd: 23, code: 'developed_med', type: 'Developed, Medium Intensity' },
  { nlcd: 24, code: 'developed_high', type: 'Developed, High Intensity' },
  { nlcd: 31, code: 'barren_land', type: 'Barren Land (Rock/Sand/Clay)' },
  { nlcd: 41, code: 'deciduous_forest', type: 'Deciduous Forest' },
  { nlcd: 42, code: 'evergreen_forest', type: 'Evergreen Forest' },
  { nlcd: 43, code: 'mixed_forest', type: 'Mixed Forest' },
  { nlcd: 52, code: 'shrub', type: 'Shrub/Scrub' },
  { nlcd: 71, code: 'grassland', type: 'Grassland/Herbaceous' },
  { nlcd: 81, code: 'pasture', type: 'Pasture/Hay' },
  { nlcd: 82, code: 'cultivated_crops', type: 'Cultivated Crops' },
  { nlcd: 90, code: 'woody_wetlands', type: 'Woody Wetlands' },
  { nlcd: 95, code: 'herbaceous_wetlands', type: 'Emergent Herbaceous Wetlands' },
] as const

/** The values that a land cover layer holds. */
export const LAND_CODES: readonly number[] = NLCD.map(({ nlcd }) => nlcd)

const LandCategory = z.object({
  area: z.number().meta({ description: 'Square metres, from the size of the grid’s own cells.' }),
  active_river_area: z
    .number()
    .nullable()
    .meta({ description: 'The square metres of it within the active river area; null where the area has none.' }),
  code: z.string().meta({ description: 'The class, for programs.' }),
  coverage: z.number().meta({
    description:
      'Its share of all cells, 0 to 1. Cells of no known class count among all, so shares may not add up to 1.',
  }),
  nlcd: z.int().meta({ description: 'The class’s number in the National Land Cover Database.' }),
  type: z.string().meta({ description: 'The class, for people.' }),
})

export const LandSurvey = z.object({
  survey: z
    .object({ name: z.string(), displayName: z.string(), categories: z.array(LandCategory) })
    .meta({ title: 'Land cover', description: 'The 16 classes of the National Land Cover Database, in their order.' }),
})
export type LandSurvey = z.infer<typeof LandSurvey>

/** Of cells in the active river area. */
const IN_RIVER_AREA = 1

/**
 * The survey of counted land cover: `values` are the NLCD class and, where counted along, the active river area.
 * @example landSurvey(counts, { name: 'land_2019_2019', displayName: 'Land Use/Cover 2019 (NLCD19)' })
 */
export function landSurvey(counts: CellCounts, title: { name: string; displayName: string }): LandSurvey {
  const land = new ClassAreas(counts.counts, ({ values }) => values[0] ?? null)
  const inRiverArea = counts.counts.filter(({ values }) => values[1] === IN_RIVER_AREA)
  const riverLand = new ClassAreas(inRiverArea, ({ values }) => values[0] ?? null)
  const categories = NLCD.map(({ nlcd, code, type }) => ({
    area: land.of(nlcd).areaM2,
    active_river_area: inRiverArea.length > 0 ? riverLand.of(nlcd).areaM2 : null,
    code,
    coverage: shareOf(land.of(nlcd).cells, counts.cells),
    nlcd,
    type,
  }))
  return { survey: { ...title, categories } }
}

/** Cells of no class that the survey lists, missing ones among them. */
export function cellsOfNoLandClass(counts: CellCounts): number {
  const land = new ClassAreas(counts.counts, ({ values }) => values[0] ?? null)
  return NLCD.reduce((rest, { nlcd }) => rest - land.of(nlcd).cells, counts.cells)
}
