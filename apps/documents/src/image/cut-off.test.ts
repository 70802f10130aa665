import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { isCutOff } from './cut-off.ts'

const picture = sharp({
  create: {
    width: 300,
    height: 200,
    channels: 3,
    background: '#fff',
    noise: { type: 'gaussian', mean: 128, sigma: 40 },
  },
})

async function cutOff(bytes: Buffer): Promise<boolean | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'headrace-cut-off-'))
  try {
    await writeFile(join(folder, 'picture'), bytes)
    return await isCutOff(join(folder, 'picture'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const format of ['png', 'jpeg', 'webp'] as const) {
  test(`a ${format} is cut off wherever its end is missing, and not when something follows it`, async () => {
    const whole = await picture.clone().toFormat(format).toBuffer()
    assert.equal(await cutOff(whole), false)
    assert.equal(await cutOff(Buffer.concat([whole, Buffer.alloc(1_000)])), false)
    for (const share of [0.1, 0.5, 0.9]) assert.equal(await cutOff(whole.subarray(0, whole.length * share)), true)
    assert.equal(await cutOff(whole.subarray(0, whole.length - 10)), true)
  })
}

test('of other formats, and of what is too short for any, it is not known', async () => {
  assert.equal(await cutOff(await picture.clone().tiff().toBuffer()), undefined)
  assert.equal(await cutOff(Buffer.from('P')), undefined)
})
