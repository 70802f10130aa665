import { type Catalogue, type Layer, listLayers } from '@headrace/geo'
import { LayerMissingError, LayerUnsuitableError } from '../errors.ts'

/** What an analysis counts on. */
export type LayerWish = {
  /** For people: `land cover 2019_2016`. */
  readonly what: string
  /** What the caller named; nothing else will do then. */
  readonly named: string | undefined
  /** Otherwise the layer meant, then what may stand in for it. */
  readonly names: readonly string[]
  /** The values that are counted; a named layer whose classes are all others is refused. */
  readonly values: readonly number[]
  /** Stands in last, while everything loaded is synthetic. */
  readonly sample: string
}

/** `isMeant`: the layer that was meant, rather than one that stands in for it or that the caller named. */
export type ChosenLayer = { readonly layer: Layer; readonly isMeant: boolean }

/** @throws {LayerMissingError} naming what to add. @throws {LayerUnsuitableError} */
export async function chooseLayer(catalogue: Catalogue, wish: LayerWish): Promise<ChosenLayer> {
  const layers = await listLayers(catalogue)
  const candidates = wish.named === undefined ? wish.names : [wish.named]
  const layer = firstOf(layers, candidates) ?? sampleOf(layers, wish)
  if (layer) requireSuitable(layer, wish)
  if (layer) return { layer, isMeant: wish.named === undefined && layer.name === wish.names[0] }
  const what = wish.named === undefined ? wish.what : `${wish.what} by the name ${wish.named}`
  const loaded = layers.map(({ name }) => name)
  throw new LayerMissingError(what, candidates, loaded)
}

// A layer without recorded classes may hold anything, and is believed.
function requireSuitable({ name, classes }: Layer, { what, values }: LayerWish): void {
  if (classes.length === 0 || classes.some(({ value }) => values.includes(value))) return
  throw new LayerUnsuitableError(
    name,
    what,
    classes.map(({ value }) => value),
  )
}

/** The first of these names that is loaded. */
export async function findLayer(catalogue: Catalogue, names: readonly string[]): Promise<Layer | undefined> {
  return firstOf(await listLayers(catalogue), names)
}

function firstOf(layers: readonly Layer[], names: readonly string[]): Layer | undefined {
  for (const name of names) {
    const found = layers.find((layer) => layer.name === name)
    if (found) return found
  }
  return undefined
}

function sampleOf(layers: readonly Layer[], { named, sample }: LayerWish): Layer | undefined {
  return named === undefined && layers.every((layer) => layer.isSynthetic) ? firstOf(layers, [sample]) : undefined
}
