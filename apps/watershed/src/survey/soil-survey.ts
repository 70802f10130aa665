import type { CellCounts } from '@headrace/geo'
import { z } from 'zod'
import { ClassAreas, shareOf } from './class-areas.ts'

/** The hydrologic soil groups as Model My Watershed numbers and names them. */
const SOIL = [
  { group: 1, code: 'a', type: 'A - High Infiltration' },
  { group: 2, code: 'b', type: 'B - Moderate Infiltration' },
  { group: 3, code: 'c', type: 'C - Slow Infiltration' },
  { group: 4, code: 'd', type: 'D - Very Slow Infiltration' },
  { group: 5, code: 'ad', type: 'A/D - High/Very Slow Infiltration' },
  { group: 6, code: 'bd', type: 'B/D - Medium/Very Slow Infiltration' },
  { group: 7, code: 'cd', type: 'C/D - Medium/Very Slow Infiltration' },
] as const

/** The values that a layer of soil groups holds. */
export const SOIL_GROUPS: readonly number[] = SOIL.map(({ group }) => group)

/** Where the soil is not known it is taken for C, as Model My Watershed does. */
const GROUP_OF_MISSING = 3

const SoilCategory = z.object({
  area: z.number().meta({ description: 'Square metres, from the size of the grid’s own cells.' }),
  code: z.string().meta({ description: 'The group, for programs.' }),
  coverage: z.number().meta({ description: 'Its share of all cells, 0 to 1.' }),
  type: z.string().meta({ description: 'The group, for people.' }),
})

export const SoilSurvey = z.object({
  survey: z
    .object({ name: z.string(), displayName: z.string(), categories: z.array(SoilCategory) })
    .meta({ title: 'Soil', description: 'The seven hydrologic soil groups. Cells without data count as group C.' }),
})
export type SoilSurvey = z.infer<typeof SoilSurvey>

/** The survey of counted soil groups: `values` are the group's number. */
export function soilSurvey(counts: CellCounts, title: { name: string; displayName: string }): SoilSurvey {
  const soil = new ClassAreas(counts.counts, ({ values }) => values[0] ?? GROUP_OF_MISSING)
  const categories = SOIL.map(({ group, code, type }) => ({
    area: soil.of(group).areaM2,
    code,
    coverage: shareOf(soil.of(group).cells, counts.cells),
    type,
  }))
  return { survey: { ...title, categories } }
}
