import { type Workflow, workflow } from '@headrace/engine'
import type { Area } from '@headrace/geo'
import { z } from 'zod'
import { areaInput } from '../area/area-input.ts'
import { chooseLayer, type LayerWish } from '../layer/choose-layer.ts'
import { SOIL_GROUPS, SoilSurvey, soilSurvey } from '../survey/soil-survey.ts'
import { GEO_QUEUE } from '../tile/tile-tasks.ts'
import { asynchronous } from './asynchronous-schema.ts'
import { countArea } from './count-area.ts'
import { checkLayers } from './layer-check.ts'
import type { Setup } from './setup.ts'
import { titleOf, versionOf } from './titles.ts'

export type SoilRequest = { readonly area: Area; readonly layer?: string | undefined }

export const ANALYZE_SOIL = 'watershed.analyze-soil'

/** Soils of an area, as Model My Watershed's `analyze/soil`: 7 hydrologic soil groups with their ground and their share. */
export function analyzeSoil(setup: Setup): Workflow<SoilRequest, SoilSurvey> {
  return workflow({
    name: ANALYZE_SOIL,
    title: 'Soils of an area',
    description:
      'Counts the cells of each hydrologic soil group in an area: its ground in square metres and its share. Cells without ' +
      'data count as group C. Each tile of the area is a job of its own.',
    public: true,
    queue: GEO_QUEUE,
    input: asynchronous(soilInput(setup)),
    output: SoilSurvey,
    async run({ area, layer }, flow) {
      const soil = await flow.step('choose the layer', () => chooseSoil(setup, layer))
      const counts = await countArea(flow, setup.tasks, { area, layers: [soil.layer], ...setup.tiles })
      return flow.step('survey', () => soilSurvey(counts, { name: 'soil', displayName: soil.title }))
    },
  })
}

function soilInput(setup: Setup) {
  return z
    .strictObject({
      area: areaInput(setup.areaLimits),
      layer: z.string().optional().meta({
        title: 'Layer',
        description: 'The layer of soil groups to count, by its name in GET /layers, instead of the usual one.',
      }),
    })
    .superRefine((request, context) => {
      const choose = async () => (await chooseLayer(setup.catalogue, wishOf(setup, request.layer))).layer
      return checkLayers(request, choose, context)
    })
}

async function chooseSoil(setup: Setup, named: string | undefined) {
  const { layer, isMeant } = await chooseLayer(setup.catalogue, wishOf(setup, named))
  return { layer: versionOf(layer), title: isMeant ? 'Soil' : titleOf(layer, 'Soil') }
}

function wishOf({ layerNames }: Setup, named: string | undefined): LayerWish {
  return { what: 'soil groups', named, names: layerNames.soil, values: SOIL_GROUPS, sample: layerNames.sample.soil }
}
