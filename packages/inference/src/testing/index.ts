/** Models made by a few lines of code, for tests and measurements. */
export * from './example-models.ts'
export { type ModelSpec, writeOnnx } from './write-onnx.ts'
