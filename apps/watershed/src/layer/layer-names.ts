import type { ProductYear } from './product-year.ts'

/**
 * Which layers of the catalogue serve which analysis, as lists of names. The first name of a list is the layer meant; the
 * others may stand in for it, in this order, where it is not loaded, and the survey then bears the title of the layer that did.
 */
export type LayerNames = {
  readonly land: Readonly<Record<ProductYear, readonly string[]>>
  readonly soil: readonly string[]
  /** Cells of 1 are active river area. Where none is loaded, or it lies on another grid than the land, surveys say null. */
  readonly activeRiverArea: readonly string[]
  /** The synthetic sample stands in last, and only while nothing else is loaded: invented numbers must not pass for real ones. */
  readonly sample: { readonly land: string; readonly soil: string }
}

/** Land cover of the edition 2019 is `nlcd-<year>`; `nlcd` stands in for every product year; soil groups are `soil`. */
export const defaultLayerNames: LayerNames = {
  land: {
    '2019_2019': ['nlcd-2019', 'nlcd'],
    '2019_2016': ['nlcd-2016', 'nlcd'],
    '2019_2011': ['nlcd-2011', 'nlcd'],
    '2019_2006': ['nlcd-2006', 'nlcd'],
    '2019_2001': ['nlcd-2001', 'nlcd'],
    '2011_2011': ['nlcd11-2011', 'nlcd'],
  },
  soil: ['soil'],
  activeRiverArea: ['ara'],
  sample: { land: 'sample-land', soil: 'sample-soil' },
}
