// Uploads files through a connection that is cut again and again, and checks every byte:
//   npm run campaign:uploads -- --total 2147483648 --file 268435456 --seed 1
import { type ChildProcess, fork } from 'node:child_process'
import { createCipheriv, createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openLocalArtifacts, parseArtifactId } from '@headrace/artifacts'
import { Upload } from 'tus-js-client'
import { openCuttingProxy } from './cutting-proxy.ts'

export type UploadCampaign = {
  readonly totalBytes: number
  readonly fileBytes: number
  /** Decides the content and where the connections are cut. */
  readonly seed: number
}

export type UploadCampaignReport = {
  readonly files: number
  readonly totalBytes: number
  readonly cuts: number
  /** Sent more than once, because the answer to it was lost with its connection. */
  readonly resentBytes: number
  readonly identicalFiles: number
  readonly seconds: number
  readonly bytesPerSecond: number
  /** The server's process: its size after the first file, and by how much the others made it grow. */
  readonly rssBytes: number
  readonly rssGrownBytes: number
}

const CHUNK_BYTES = 1024 * 1024

export async function runUploadCampaign({
  totalBytes,
  fileBytes,
  seed,
}: UploadCampaign): Promise<UploadCampaignReport> {
  const dir = await mkdtemp(join(tmpdir(), 'headrace-uploads-'))
  const child = fork(fileURLToPath(new URL('./upload-server-process.ts', import.meta.url)))
  try {
    const { url, authorization, artifactsDir } = await answerOf<ServerWord>(child)
    const random = seededRandom(seed)
    // No connection carries a whole file, and each carries some of it.
    const cutAtBytes = () => Math.ceil((0.02 + 0.28 * random()) * fileBytes)
    await using proxy = await openCuttingProxy(Number(new URL(url).port), cutAtBytes)
    const artifacts = await openLocalArtifacts(artifactsDir)
    const files = Math.ceil(totalBytes / fileBytes)
    let identicalFiles = 0
    let sendingMs = 0
    let rssBytes = 0
    for (let index = 0; index < files; index++) {
      const path = join(dir, 'content.bin')
      const sha256 = await writeContent(path, { fileBytes, seed: seed * 1_000_003 + index })
      const before = performance.now()
      const artifact = await uploadFile(path, { url: proxy.url, authorization })
      sendingMs += performance.now() - before
      const stored = createHash('sha256')
      await pipeline(await artifacts.read(parseArtifactId(artifact)), stored)
      if (artifact === `sha256:${sha256}` && stored.digest('hex') === sha256) identicalFiles++
      if (index === 0) rssBytes = await rssBytesMaxOf(child)
      await artifacts.delete(parseArtifactId(artifact))
    }
    const seconds = sendingMs / 1000
    return {
      files,
      totalBytes: files * fileBytes,
      cuts: proxy.cuts(),
      resentBytes: Math.max(0, proxy.passedBytes() - files * fileBytes),
      identicalFiles,
      seconds,
      bytesPerSecond: (files * fileBytes) / seconds,
      rssBytes,
      rssGrownBytes: (await rssBytesMaxOf(child)) - rssBytes,
    }
  } finally {
    child.disconnect()
    await once(child, 'exit')
    await rm(dir, { recursive: true, force: true })
  }
}

/** Uploads a file with tus-js-client, which resumes by itself. @returns the artifact that it became */
export function uploadFile(
  path: string,
  to: { readonly url: string; readonly authorization: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const upload = new Upload(createReadStream(path), {
      endpoint: `${to.url}/uploads/`,
      headers: { authorization: to.authorization },
      metadata: { filename: 'content.bin', filetype: 'application/octet-stream' },
      retryDelays: Array.from({ length: 100 }, () => 0),
      onError: reject,
      onSuccess: ({ lastResponse }) => {
        const artifact = lastResponse.getHeader('headrace-artifact')
        if (artifact) resolve(artifact)
        else reject(new Error('The last answer named no artifact.'))
      },
    })
    upload.start()
  })
}

type ServerWord = { readonly url: string; readonly authorization: string; readonly artifactsDir: string }

async function answerOf<Word>(child: ChildProcess): Promise<Word> {
  const [word] = await once(child, 'message')
  return word as Word // sound: upload-server-process.ts sends nothing else
}

async function rssBytesMaxOf(child: ChildProcess): Promise<number> {
  child.send('rss')
  return (await answerOf<{ readonly rssBytesMax: number }>(child)).rssBytesMax
}

/** Bytes that look random and are the same for the same seed. @returns their SHA-256 */
async function writeContent(
  path: string,
  content: { readonly fileBytes: number; readonly seed: number },
): Promise<string> {
  const key = createHash('sha256').update(String(content.seed)).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  const hash = createHash('sha256')
  const zeros = Buffer.alloc(CHUNK_BYTES)
  const chunks = function* () {
    for (let left = content.fileBytes; left > 0; left -= CHUNK_BYTES) {
      const chunk = cipher.update(zeros.subarray(0, Math.min(left, CHUNK_BYTES)))
      hash.update(chunk)
      yield chunk
    }
  }
  await pipeline(Readable.from(chunks()), createWriteStream(path))
  return hash.digest('hex')
}

/** Mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      total: { type: 'string', default: String(2 * 2 ** 30) },
      file: { type: 'string', default: String(2 ** 28) },
      seed: { type: 'string', default: '1' },
    },
  })
  const campaign = { totalBytes: Number(values.total), fileBytes: Number(values.file), seed: Number(values.seed) }
  const report = await runUploadCampaign(campaign)
  console.log(JSON.stringify({ ...campaign, ...report }, undefined, 2))
  process.exitCode = report.identicalFiles === report.files ? 0 : 1
}
