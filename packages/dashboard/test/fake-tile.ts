import { crc32, deflateSync } from 'node:zlib'

const SIZE = 256
const BLOCK = 16
const COLORS = ['466b9f', 'dec5c5', 'd99282', 'eb0000', '68ab5f', 'ab6c28', 'b5c58f', 'dcd939'].map((hex) =>
  Buffer.from(hex, 'hex'),
)

/** A PNG tile of coloured blocks, the same again for the same place; no picture of anything. */
export function fakeTile(z: number, x: number, y: number): Buffer {
  const rows = Buffer.alloc(SIZE * (1 + SIZE * 3))
  for (let row = 0; row < SIZE; row++) {
    for (let col = 0; col < SIZE; col++) {
      const block = blockColor(
        x * (SIZE / BLOCK) + Math.floor(col / BLOCK),
        y * (SIZE / BLOCK) + Math.floor(row / BLOCK),
        z,
      )
      block.copy(rows, row * (1 + SIZE * 3) + 1 + col * 3)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(SIZE, 0)
  header.writeUInt32BE(SIZE, 4)
  header.set([8, 2, 0, 0, 0], 8) // 8 bits, RGB
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function blockColor(col: number, row: number, z: number): Buffer {
  const wave = Math.sin(col / 5 + z) + Math.cos(row / 4) + Math.sin((col + row) / 9)
  return (
    COLORS[Math.min(COLORS.length - 1, Math.max(0, Math.floor(((wave + 3) / 6) * COLORS.length)))] ?? Buffer.alloc(3)
  )
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}
