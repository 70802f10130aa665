import { type Flow, type Workflow, workflow } from '@headrace/engine'
import type { Area, CellCounts, Layer } from '@headrace/geo'
import { z } from 'zod'
import { areaInput } from '../area/area-input.ts'
import { chooseLayer, findLayer, type LayerWish } from '../layer/choose-layer.ts'
import { defaultProductYear, PRODUCT_YEARS, type ProductYear, titleOfProductYear } from '../layer/product-year.ts'
import { cellsOfNoLandClass, LAND_CODES, LandSurvey, landSurvey } from '../survey/land-survey.ts'
import { GEO_QUEUE } from '../tile/tile-tasks.ts'
import type { LayerVersion } from '../tile/tile-work.ts'
import { asynchronous } from './asynchronous-schema.ts'
import { countArea } from './count-area.ts'
import { checkLayers } from './layer-check.ts'
import type { Setup } from './setup.ts'
import { titleOf, versionOf } from './titles.ts'

export type LandRequest = {
  readonly area: Area
  readonly layer?: string | undefined
  readonly productYear: ProductYear
}

export const ANALYZE_LAND = 'watershed.analyze-land'

/** Land cover of an area, as Model My Watershed's `analyze/land`: 16 classes with their ground and their share. */
export function analyzeLand(setup: Setup): Workflow<LandRequest, LandSurvey> {
  return workflow({
    name: ANALYZE_LAND,
    title: 'Land cover of an area',
    description:
      'Counts the cells of each class of the National Land Cover Database in an area: its ground in square metres and its ' +
      'share, and how much of it lies in the active river area. Each tile of the area is a job of its own.',
    public: true,
    queue: GEO_QUEUE,
    input: asynchronous(landInput(setup)),
    output: LandSurvey,
    async run({ area, layer, productYear }, flow) {
      const land = await flow.step('choose the layers', () => chooseLand(setup, { layer, productYear }))
      if (land.note !== undefined) flow.log('warn', land.note)
      const counts = await countArea(flow, setup.tasks, {
        area,
        layers: [land.layer],
        optional: land.riverArea,
        ...setup.tiles,
      })
      warnOfNoClass(flow, counts, land.layer)
      const title = { name: `land_${productYear}`, displayName: land.title }
      return flow.step('survey', () => landSurvey(counts, title))
    },
  })
}

function landInput(setup: Setup) {
  return z
    .strictObject({
      area: areaInput(setup.areaLimits),
      layer: z.string().optional().meta({
        title: 'Layer',
        description: 'The land cover layer to count, by its name in GET /layers, instead of the product year’s own.',
      }),
      productYear: z.enum(PRODUCT_YEARS).default(defaultProductYear).meta({
        title: 'Product year',
        description:
          'Edition of the National Land Cover Database and year shown: 2019_2011 is 2011 in the edition of 2019.',
      }),
    })
    .superRefine((request, context) => {
      const choose = async () => (await chooseLayer(setup.catalogue, wishOf(setup, request))).layer
      return checkLayers(request, choose, context)
    })
}

type ChosenLand = {
  readonly layer: LayerVersion
  readonly title: string
  readonly riverArea?: LayerVersion
  readonly note?: string
}

async function chooseLand(setup: Setup, request: Pick<LandRequest, 'layer' | 'productYear'>): Promise<ChosenLand> {
  const { catalogue, layerNames } = setup
  const { layer, isMeant } = await chooseLayer(catalogue, wishOf(setup, request))
  const riverArea = await findLayer(catalogue, layerNames.activeRiverArea)
  const isStandIn = !isMeant && request.layer === undefined
  return {
    layer: versionOf(layer),
    title: isMeant ? titleOfProductYear(request.productYear) : titleOf(layer, 'Land Use/Cover'),
    ...(riverArea && { riverArea: versionOf(riverArea) }),
    ...(isStandIn && { note: standInNote(layer, layerNames.land[request.productYear]) }),
  }
}

function wishOf({ layerNames }: Setup, { layer, productYear }: Pick<LandRequest, 'layer' | 'productYear'>): LayerWish {
  return {
    what: `land cover ${productYear}`,
    named: layer,
    names: layerNames.land[productYear],
    values: LAND_CODES,
    sample: layerNames.sample.land,
  }
}

function standInNote({ name, title }: Layer, [meant]: readonly string[]): string {
  return `There is no layer ${meant}; ${name} (${title}) stands in for it.`
}

function warnOfNoClass(flow: Flow, counts: CellCounts, { name }: LayerVersion): void {
  const cells = cellsOfNoLandClass(counts)
  if (cells === 0) return
  flow.log('warn', `${cells} of ${counts.cells} cells of ${name} hold no class of the NLCD; shares are of all cells.`)
}
