// Protocol Buffers' wire format, the writing of it: https://protobuf.dev/programming-guides/encoding/

/** A non-negative number, seven bits a byte, the lowest first. */
export function varint(value: number): Buffer {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      out.push(rest)
      return Buffer.from(out)
    }
    out.push((rest % 128) + 128)
  }
}

export function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)])
}

export function textField(field: number, value: string): Buffer {
  return bytesField(field, Buffer.from(value))
}

export function bytesField(field: number, value: Buffer): Buffer {
  return Buffer.concat([bytesHead(field, value.length), value])
}

/** What stands before so many bytes, which may be written after it piece by piece. */
export function bytesHead(field: number, length: number): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(length)])
}
