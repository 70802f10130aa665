/** ONNX models: checked before they are loaded, run in threads of their own, in batches. */
export {
  type AskOptions,
  DeployedModel,
  type Prediction,
  type Predictions,
  type Question,
} from './deployment/deployed-model.ts'
export type { FiguresNow } from './deployment/figures.ts'
export { type HeldModel, ModelPool, type PoolOptions } from './deployment/model-pool.ts'
export { ModelError, type ModelErrorCode } from './errors.ts'
export { MODEL_NAME, MODEL_VERSION, type ModelManifest, parseManifest } from './manifest/manifest.ts'
export type { ShapedOutput } from './output/shape-output.ts'
export { joinModelWeights } from './weights/join-in-thread.ts'
export type { JoinOptions } from './weights/join-weights.ts'
