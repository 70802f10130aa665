import type { WireModel, WireModelVersion } from '@headrace/wire'
import type { Predictor } from '../predict/predictor.ts'
import type { Model, ModelRecord } from '../registry/registry.ts'

export function toWireModel({ name, current, versions }: Model, predictor: Predictor): WireModel {
  const defaultVersion = current.manifest.version
  return { name, defaultVersion, versions: versions.map((record) => toWireVersion(record, defaultVersion, predictor)) }
}

export function toWireVersion(record: ModelRecord, defaultVersion: string, predictor: Predictor): WireModelVersion {
  const { manifest, artifact, sizeBytes, addedAt, addedBy } = record
  const { version, title, description, inputs, outputs, limits } = manifest
  const loaded = predictor.loaded(record)
  return {
    version,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    state: loaded ? 'loaded' : 'resting',
    isDefault: version === defaultVersion,
    artifact,
    sizeBytes,
    addedAt,
    addedBy,
    inputs: inputs.map(({ name, dtype, shape, image, table }) => ({
      name,
      dtype,
      shape,
      ...(image && { image: { layout: image.layout, color: image.color } }),
      ...(table && { table: { columns: table.columns.map((column) => ({ name: column.name })) } }),
    })),
    outputs: outputs.map(({ name, kind }) => ({ name, kind })),
    limits,
    ...(loaded && { loadMs: loaded.loadMs, figures: loaded.figures() }),
  }
}
