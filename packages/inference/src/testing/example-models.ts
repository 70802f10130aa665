import { type ModelSpec, writeOnnx } from './write-onnx.ts'

/** Numbers in [-0.5, 0.5) that are the same every time: a linear congruential generator. */
export function seeded(count: number, seed: number): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32 - 0.5
  })
}

/** `y = x * [2, 3] + [1, 1]` on rows of two numbers: what comes out can be counted by hand. */
export const LINE: ModelSpec = {
  inputs: [{ name: 'x', dims: ['batch', 2] }],
  outputs: [{ name: 'y', dims: ['batch', 2] }],
  weights: [
    { name: 'w', dims: [2], values: Float32Array.of(2, 3) },
    { name: 'b', dims: [2], values: Float32Array.of(1, 1) },
  ],
  nodes: [
    { op: 'Mul', inputs: ['x', 'w'], outputs: ['m'] },
    { op: 'Add', inputs: ['m', 'b'], outputs: ['y'] },
  ],
}

export const lineManifest = {
  name: 'line',
  version: '1',
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
  outputs: [{ name: 'y', kind: 'tensor' }],
} as const

/**
 * A small classifier of pictures with 3 × 16 × 16 values: two convolutions, pooling, a layer that joins them.
 * @param width channels of the convolutions: the work of a run grows with its square
 */
export function convolutional(width = 8, side = 16): Buffer {
  return writeOnnx(convolutionalSpec(width, side))
}

/** The same, before it is written. */
export function convolutionalSpec(width: number, side: number): ModelSpec {
  const weight = (name: string, dims: readonly number[], seed: number, gain: number) => ({
    name,
    dims,
    values: seeded(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ).map((value) => value * gain),
  })
  return {
    inputs: [{ name: 'image', dims: ['batch', 3, side, side] }],
    outputs: [{ name: 'scores', dims: ['batch', 4] }],
    weights: [
      weight('w1', [width, 3, 3, 3], 1, 0.8),
      weight('b1', [width], 2, 0.1),
      weight('w2', [width, width, 3, 3], 3, 0.5),
      weight('b2', [width], 4, 0.1),
      weight('w3', [width, 4], 5, 2),
      weight('b3', [4], 6, 0.1),
    ],
    nodes: [
      {
        op: 'Conv',
        inputs: ['image', 'w1', 'b1'],
        outputs: ['c1'],
        attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
      },
      { op: 'Relu', inputs: ['c1'], outputs: ['r1'] },
      {
        op: 'Conv',
        inputs: ['r1', 'w2', 'b2'],
        outputs: ['c2'],
        attributes: { pads: [1, 1, 1, 1], kernel_shape: [3, 3] },
      },
      { op: 'Relu', inputs: ['c2'], outputs: ['r2'] },
      { op: 'GlobalAveragePool', inputs: ['r2'], outputs: ['g'] },
      { op: 'Flatten', inputs: ['g'], outputs: ['f'], attributes: { axis: 1 } },
      { op: 'Gemm', inputs: ['f', 'w3', 'b3'], outputs: ['scores'] },
    ],
  }
}

export function convolutionalManifest(side = 16) {
  return {
    name: 'shapes',
    version: '1',
    title: 'Shapes',
    inputs: [
      {
        name: 'image',
        dtype: 'float32',
        shape: ['batch', 3, side, side],
        image: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
      },
    ],
    outputs: [
      {
        name: 'scores',
        kind: 'classification',
        activation: 'softmax',
        labels: ['circle', 'square', 'star', 'wave'],
        topK: 4,
      },
    ],
  } as const
}

/** A classifier of tables: one hidden layer between `columns` numbers and three classes. */
export function dense(columns: number, hidden = 32): Buffer {
  return writeOnnx({
    inputs: [{ name: 'row', dims: ['batch', columns] }],
    outputs: [{ name: 'scores', dims: ['batch', 3] }],
    weights: [
      { name: 'w1', dims: [columns, hidden], values: seeded(columns * hidden, 11) },
      { name: 'b1', dims: [hidden], values: seeded(hidden, 12) },
      { name: 'w2', dims: [hidden, 3], values: seeded(hidden * 3, 13) },
      { name: 'b2', dims: [3], values: seeded(3, 14) },
    ],
    nodes: [
      { op: 'Gemm', inputs: ['row', 'w1', 'b1'], outputs: ['h'] },
      { op: 'Relu', inputs: ['h'], outputs: ['r'] },
      { op: 'Gemm', inputs: ['r', 'w2', 'b2'], outputs: ['scores'] },
    ],
  })
}

/** As `dense`, with two hidden layers of this width: `4 * hidden ** 2` bytes of weights between them. */
export function deepDense(columns: number, hidden: number): Buffer {
  const scaled = (count: number, seed: number, by: number) => seeded(count, seed).map((value) => value * by)
  return writeOnnx({
    inputs: [{ name: 'row', dims: ['batch', columns] }],
    outputs: [{ name: 'scores', dims: ['batch', 3] }],
    weights: [
      { name: 'w1', dims: [columns, hidden], values: scaled(columns * hidden, 21, 0.5) },
      { name: 'w2', dims: [hidden, hidden], values: scaled(hidden * hidden, 22, 0.1) },
      { name: 'w3', dims: [hidden, 3], values: scaled(hidden * 3, 23, 0.1) },
    ],
    nodes: [
      { op: 'MatMul', inputs: ['row', 'w1'], outputs: ['h1'] },
      { op: 'Relu', inputs: ['h1'], outputs: ['r1'] },
      { op: 'MatMul', inputs: ['r1', 'w2'], outputs: ['h2'] },
      { op: 'Relu', inputs: ['h2'], outputs: ['r2'] },
      { op: 'MatMul', inputs: ['r2', 'w3'], outputs: ['scores'] },
    ],
  })
}

export function denseManifest(columns: number) {
  return {
    name: 'dense',
    version: '1',
    inputs: [{ name: 'row', dtype: 'float32', shape: ['batch', columns] }],
    outputs: [{ name: 'scores', kind: 'classification', activation: 'softmax' }],
  } as const
}
