import type { Area, Catalogue, CellCounts, TileRef } from '@headrace/geo'

/** A layer, and the version of it that a job is about. */
export type LayerVersion = { readonly name: string; readonly sha256: string }

/** The input of `watershed.plan-tiles`. */
export type PlanTiles = {
  readonly area: Area
  readonly layers: readonly LayerVersion[]
  /** Counted along where it lies on the grid of the others, left out where not. */
  readonly optional?: LayerVersion
  readonly tileSide: number
  readonly batchesMax: number
}

/** How an area is counted: each batch of tiles by one job. */
export type TilePlan = {
  readonly layers: readonly LayerVersion[]
  readonly batches: readonly (readonly TileRef[])[]
  /** Why the optional layer is not among the layers. */
  readonly leftOut?: string
}

/** The input of `watershed.count-tile`: one tile as a rule, several where an area has very many. */
export type CountTiles = {
  readonly area: Area
  readonly layers: readonly LayerVersion[]
  readonly tiles: readonly TileRef[]
}

/** What a thread is given: the job's input, and where this worker keeps its layers. */
export type TileWork =
  | { readonly catalogue: Catalogue; readonly plan: PlanTiles }
  | { readonly catalogue: Catalogue; readonly count: CountTiles }

export type TileOutcome = TilePlan | CellCounts
