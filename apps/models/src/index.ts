/** Deployed models: drop in an ONNX file with a manifest, get endpoints. */
export { type ModelsOptions, modelsApp } from './models-app.ts'
