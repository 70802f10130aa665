import { ModelError } from '../errors.ts'
import type { FileBytes } from './file-bytes.ts'

const HEAD_BYTES = 16

/** Formats that people send in ONNX's place, by how they begin, and what to do with each. */
const OTHERS: readonly { readonly what: string; readonly is: (head: Buffer) => boolean; readonly remedy: string }[] = [
  {
    what: 'a ZIP archive, as PyTorch (.pt, .pth) and Keras (.keras) write it',
    is: (head) => head.subarray(0, 2).toString('latin1') === 'PK',
    remedy:
      'Such files hold pickled code and are never loaded here. Export the model: torch.onnx.export(model, example, "model.onnx")',
  },
  {
    what: 'a Python pickle',
    is: (head) => head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5,
    remedy:
      'A pickle runs code when it is loaded, and is never loaded here. Export the model to ONNX, with skl2onnx or torch.onnx for example',
  },
  {
    what: 'a safetensors file',
    is: (head) => head.length > 8 && head[8] === 0x7b && head.readUInt32LE(4) === 0 && head.readUInt32LE(0) > 1,
    remedy:
      'It holds weights only, and no graph to run. Send the ONNX graph as the model, and this file beside it as the weights that the manifest names',
  },
  {
    what: 'an HDF5 file, as Keras writes it',
    is: (head) => head.subarray(0, 4).toString('latin1') === '\x89HDF',
    remedy: 'Export the model to ONNX with tf2onnx',
  },
  {
    what: 'a TensorFlow Lite model',
    is: (head) => head.subarray(4, 8).toString('latin1') === 'TFL3',
    remedy: 'Convert it to ONNX with tf2onnx --tflite',
  },
  {
    what: 'an ONNX Runtime model (.ort)',
    is: (head) => head.subarray(4, 8).toString('latin1') === 'ORTM',
    remedy: 'It is tied to one release of ONNX Runtime. Send the .onnx that it was made of',
  },
  {
    what: 'a GGUF model',
    is: (head) => head.subarray(0, 4).toString('latin1') === 'GGUF',
    remedy: 'Send the model as ONNX',
  },
]

/** @throws {ModelError} `model_format_unsupported`, or `model_damaged` for an empty file */
export function refuseOtherFormats(file: FileBytes): void {
  if (file.size === 0) throw new ModelError('model_damaged', 'The model file is empty: it has 0 bytes. Send it again.')
  const head = file.slice(0, Math.min(HEAD_BYTES, file.size))
  const other = OTHERS.find(({ is }) => is(head))
  if (other === undefined) return
  throw new ModelError('model_format_unsupported', `The model file is ${other.what}, not ONNX. ${other.remedy}.`)
}
