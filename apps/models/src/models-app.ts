import { join } from 'node:path'
import type { ArtifactStore } from '@headrace/artifacts'
import type { Settings } from '@headrace/engine'
import { type App, defineApp } from '@headrace/server'
import { modelRoutes } from './http/model-routes.ts'
import { predictRoutes } from './http/predict-routes.ts'
import { Predictor } from './predict/predictor.ts'
import { modelTasks } from './predict/tasks.ts'
import { Registry } from './registry/registry.ts'

export type ModelsOptions = {
  readonly artifacts: ArtifactStore
  /** Of the store that the jobs are in: which models there are is kept beside them. */
  readonly settings: Settings
  /** Where models that are loaded lie on this machine; what is in it can be made again. */
  readonly cacheDir: string
  /** Of one model file. Default 2 GB, which is also the most that one file of ONNX can have. */
  readonly sizeBytesMax?: number
}

const SIZE_BYTES_MAX = 2_000_000_000

/**
 * Deployed models: drop in an ONNX file with a manifest, and ask it at once, by a job, or about many things in a batch.
 * @example
 * const app = modelsApp({ artifacts, settings: store.settings, cacheDir: '/var/cache/headrace/models' })
 * const engine = createEngine({ store, artifacts, tasks: [...app.tasks] })
 */
export function modelsApp({ artifacts, settings, cacheDir, sizeBytesMax = SIZE_BYTES_MAX }: ModelsOptions): App {
  const predictor = new Predictor(artifacts, new Registry(settings), join(cacheDir, 'files'))
  return defineApp({
    name: 'models',
    tasks: modelTasks(predictor),
    async routes(fastify, context) {
      await modelRoutes(fastify, { predictor, spoolDir: join(cacheDir, 'incoming'), sizeBytesMax })
      await predictRoutes(fastify, context, predictor)
      fastify.addHook('onClose', () => predictor.close())
    },
  })
}
