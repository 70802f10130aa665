import type { AreaLimits, Catalogue } from '@headrace/geo'
import type { LayerNames } from '../layer/layer-names.ts'
import type { TileTasks } from '../tile/tile-tasks.ts'
import type { TileSettings } from './count-area.ts'

/** What the analyses work with. */
export type Setup = {
  readonly catalogue: Catalogue
  readonly layerNames: LayerNames
  readonly areaLimits: Partial<AreaLimits>
  readonly tiles: TileSettings
  readonly tasks: TileTasks
}
