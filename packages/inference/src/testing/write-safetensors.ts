// Writes safetensors files as its own library does, and, for tests of what is malformed, as it would not.

export type SafetensorsSpec = readonly {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}[]

/** The bytes of a file with float32 tensors. */
export function writeSafetensors(tensors: SafetensorsSpec): Buffer {
  let at = 0
  const header = Object.fromEntries(
    tensors.map(({ name, shape, values }) => {
      const from = at
      at += values.byteLength
      return [name, { dtype: 'F32', shape, data_offsets: [from, at] }]
    }),
  )
  const data = tensors.map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength))
  return withHeader(JSON.stringify(header), Buffer.concat(data))
}

/** @param header whatever it says */
export function withHeader(header: string | Buffer, data: Uint8Array, lengthSaid?: bigint): Buffer {
  const bytes = Buffer.from(header)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(lengthSaid ?? BigInt(bytes.length))
  return Buffer.concat([length, bytes, data])
}
