// A process of its own for local-artifacts.test.ts: puts what its arguments say, and tells each step by a line on stdout.
import { openLocalArtifacts } from './index.ts'

const MIB = 1024 * 1024
const [dir = '', doing = ''] = process.argv.slice(2)
const artifacts = await openLocalArtifacts(dir)
if (doing === 'one that never ends') await putUnending()
if (doing === 'one after another') await putForEver()
if (doing === '64 MiB of sevens') say((await artifacts.put(chunks(64, 7))).id)
if (doing === '200 MiB') await putMeasured()

async function putUnending(): Promise<void> {
  const unending = async function* () {
    yield Buffer.alloc(MIB)
    // The store asks for a second chunk when the first is written.
    say('first chunk written')
    await new Promise(() => setInterval(() => undefined, 60_000))
  }
  await artifacts.put(unending())
}

async function putForEver(): Promise<void> {
  for (let count = 0; ; count++) {
    const { id } = await artifacts.put(chunks(2, count % 256))
    say(id)
  }
}

async function putMeasured(): Promise<void> {
  await artifacts.put(chunks(8, 1))
  const before = process.resourceUsage().maxRSS
  const { sizeBytes } = await artifacts.put(chunks(200, 2))
  say(JSON.stringify({ sizeBytes, grownBytes: (process.resourceUsage().maxRSS - before) * 1024 }))
}

async function* chunks(count: number, value: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(MIB, value)
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
