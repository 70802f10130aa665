/** Watershed analysis: land cover and soils of an area of interest. */
export {
  LayerMissingError,
  LayerReplacedError,
  LayerUnsuitableError,
  WatershedError,
  type WatershedErrorCode,
} from './errors.ts'
export { defaultLayerNames, type LayerNames } from './layer/layer-names.ts'
export { PRODUCT_YEARS, type ProductYear } from './layer/product-year.ts'
export { type EnsureSampleOptions, ensureSampleLayers } from './sample/ensure-sample-layers.ts'
export type { LandSurvey } from './survey/land-survey.ts'
export type { SoilSurvey } from './survey/soil-survey.ts'
export { type WatershedOptions, watershedApp } from './watershed-app.ts'
