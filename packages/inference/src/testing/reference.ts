import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const SCRIPT = join(import.meta.dirname, 'reference.py')

/** A Python with onnx, onnxruntime and numpy, or why there is none here. */
export function findReference(): { readonly python: string } | { readonly missing: string } {
  const own = join(import.meta.dirname, '../../../../.ci/python/bin/python')
  for (const python of [process.env.HEADRACE_TEST_PYTHON, own, 'python3']) {
    if (python === undefined || (python.includes('/') && !existsSync(python))) continue
    if (spawnSync(python, ['-c', 'import numpy, onnx, onnxruntime, safetensors']).status === 0) return { python }
  }
  return { missing: 'no ONNX Runtime in Python: pip install -r .ci/requirements.txt brings one' }
}

/** Writes `cnn.onnx` and `mlp.onnx` into a folder, by the onnx package. */
export async function exportModels(folder: string): Promise<void> {
  await promisify(execFile)(pythonOf(), [SCRIPT, 'export', folder])
}

/** Writes other weights for that `cnn.onnx`: `cnn.safetensors`, `cnn-retrained.onnx` with them, `cnn-bare.onnx` without any. */
export async function retrainModel(folder: string): Promise<void> {
  await promisify(execFile)(pythonOf(), [SCRIPT, 'retrain', folder])
}

export type ReferenceRequest = {
  readonly path: string
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: readonly number[] }>>
}

/** What ONNX Runtime in Python answers to each, as flat lists by output. */
export function referenceAnswers(
  requests: readonly ReferenceRequest[],
): readonly Readonly<Record<string, readonly number[]>>[] {
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join('')
  const { status, stdout, stderr } = spawnSync(pythonOf(), [SCRIPT, 'run'], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`reference.py ended with ${status}: ${stderr}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function pythonOf(): string {
  const found = findReference()
  if ('missing' in found) throw new Error(found.missing)
  return found.python
}
