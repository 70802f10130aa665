// Holds deploy/ against the command that it starts: nothing here needs Docker.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { createClient } from '@headrace/client'
import type { Command } from 'commander'
import sharp from 'sharp'
import { parse } from 'yaml'
import { drawText, pngOf, TALE } from '../apps/documents/src/testing/make-documents.ts'
import { findS3Server, openS3Server, type S3Server } from '../packages/artifacts/src/testing/s3-server.ts'
import { createProgram } from '../packages/cli/src/program.ts'
import { makePlace, type Place, type Running } from '../packages/cli/src/testing/headrace.ts'
import { recordingTerminal } from '../packages/cli/src/testing/recording-terminal.ts'
import { convolutional, convolutionalManifest } from '../packages/inference/src/testing/example-models.ts'
import {
  postgresForTests,
  type TestDatabases,
  WITHOUT_POSTGRES,
} from '../packages/store-postgres/src/testing/server.ts'

const DEPLOY = join(import.meta.dirname, '../deploy')

type Service = {
  readonly image: string
  readonly build?: { readonly dockerfile: string }
  readonly command?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly deploy?: { readonly replicas: number }
}

const text = readFileSync(join(DEPLOY, 'compose.yaml'), 'utf8')
const compose = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<'api' | 'worker' | 'postgres' | 's3', Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const { api, worker, postgres, s3 } = compose.services

const program = createProgram({ terminal: recordingTerminal(), env: {}, exitWith: () => undefined }, { asJson: false })
const commandsOf = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(commandsOf)]

test('the API, workers, PostgreSQL and an S3 store are there, and the first two wait for the others’ health', () => {
  assert.deepEqual(Object.keys(compose.services).sort(), ['api', 'postgres', 's3', 'worker'])
  for (const service of [api, worker])
    assert.deepEqual(service.depends_on, {
      postgres: { condition: 'service_healthy' },
      s3: { condition: 'service_healthy' },
    })
  for (const service of [api, postgres, s3]) assert.ok((service.healthcheck?.test.length ?? 0) > 1)
  assert.equal(api.image, worker.image)
  assert.ok((worker.deploy?.replicas ?? 0) >= 2)
})

test('the API and the workers write to nothing but their volumes, gain no rights, and share one build', () => {
  for (const service of [api, worker]) {
    assert.equal(service.read_only, true)
    assert.deepEqual(service.cap_drop, ['ALL'])
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
    assert.deepEqual(service.volumes, ['data:/data', '/tmp'])
  }
  assert.equal(api.build?.dockerfile, 'deploy/Dockerfile')
  assert.equal(worker.build, undefined)
})

test('every volume that is used is declared, and whatever must outlive a container lies on one', () => {
  const used = Object.values(compose.services).flatMap(({ volumes = [] }) =>
    volumes.filter((volume) => volume.includes(':')).map((volume) => volume.split(':')[0]),
  )
  assert.deepEqual([...new Set(used)].sort(), Object.keys(compose.volumes).sort())
  assert.deepEqual([postgres.volumes, s3.volumes], [['postgres:/var/lib/postgresql/data'], ['s3:/data']])
})

test('each variable that compose wants is in .env.example, and no other', () => {
  const wanted = [...text.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => name)
  const example = readFileSync(join(DEPLOY, '.env.example'), 'utf8')
  const given = [...example.matchAll(/^([A-Z0-9_]+)=/gm)].map(([, name]) => name)
  assert.deepEqual([...new Set(wanted)].sort(), given.sort())
})

test('the command understands what the containers are told, by arguments and by environment', () => {
  const variables = new Set(commandsOf(program).flatMap(({ options }) => options.map(({ envVar }) => envVar)))
  for (const { command = [], environment = {} } of [api, worker]) {
    const [name, ...args] = command
    const found = program.commands.find((one) => one.name() === name)
    assert.ok(found, `there is no command ${name}`)
    assert.deepEqual(found.parseOptions(args), { operands: [], unknown: [] })
    for (const variable of Object.keys(environment).filter((one) => one.startsWith('HEADRACE_')))
      assert.ok(variables.has(variable), `no option is set by ${variable}`)
  }
})

test('the image runs the command itself, on a Node that is new enough, as nobody special', () => {
  const dockerfile = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8')
  assert.ok(Number(/^ARG NODE_IMAGE=node:(\d+)/m.exec(dockerfile)?.[1]) >= 24)
  const bases = Array.from(dockerfile.matchAll(/^FROM (\S+)/gm), ([, base]) => base)
  assert.ok(bases.length > 0 && bases.every((base) => base === `\${NODE_IMAGE}`))
  assert.match(dockerfile, /\nUSER 1000:1000\n/)
  const [, entry = ''] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? []
  const script = (JSON.parse(entry) as readonly string[]).at(-1)?.replace(/^\/app\//, '') ?? ''
  assert.ok(existsSync(join(DEPLOY, '..', script)), script)
  const [, linked = ''] = /ln -s \/app\/(\S+) \/usr\/local\/bin\/headrace/.exec(dockerfile) ?? []
  assert.ok(existsSync(join(DEPLOY, '..', linked)), linked)
})

const found = findS3Server()
let databases: TestDatabases | undefined
let bucket: S3Server | undefined
const missing = 'missing' in found ? found.missing : undefined
if (missing === undefined) databases = await postgresForTests()

/** The environment of a service, with the addresses of this test's own servers in place of the containers'. */
function environmentOf({ environment = {} }: Service, s3Server: S3Server, url: string): Record<string, string> {
  const artifacts = environment.HEADRACE_ARTIFACTS?.replace('http://s3:8333', s3Server.endpoint) ?? ''
  assert.ok(artifacts.includes(s3Server.endpoint) && environment.HEADRACE_STORE?.includes('@postgres:5432/'))
  const { HEADRACE_DATA: _, ...rest } = environment
  return { ...rest, ...s3Server.env, HEADRACE_STORE: url, HEADRACE_ARTIFACTS: artifacts }
}

suite('what compose starts', { skip: missing ?? (databases === undefined && WITHOUT_POSTGRES) }, () => {
  let place: Place | undefined
  before(async () => {
    bucket = await openS3Server(['headrace'])
    place = await makePlace(environmentOf(api, bucket, databases?.urls[0] ?? ''))
  })
  after(async () => {
    await place?.[Symbol.asyncDispose]()
    await bucket?.stop()
    await databases?.close()
  })

  test('a document is read to its end though its worker is killed, and a model answers by a job', {
    timeout: 240_000,
  }, async () => {
    assert.ok(place)
    const server = place.start([...(api.command ?? []).map((arg) => (arg === '8080' ? '0' : arg)), '--json'])
    const workers = new Map<string, Running>()
    try {
      const { url } = await firstLine<{ url: string }>(server, '"version"')
      for (let number = 0; number < 2; number++) {
        const running = place.start([...(worker.command ?? []), '--json'])
        workers.set((await firstLine<{ workerId: string }>(running, '"workerId"')).workerId, running)
      }
      const { stdout } = await place.run(['keys', 'create', '--name', 'test', '--scope', 'admin'])
      const client = createClient({ baseUrl: url, token: stdout.trim() })
      const headers = { authorization: `Bearer ${stdout.trim()}` }

      const form = new FormData()
      form.append('file', new Blob([(await pngOf(drawText(TALE))) as Uint8Array<ArrayBuffer>]), 'tale.png')
      const { task_id: id } = (await (await fetch(`${url}/elab`, { method: 'POST', headers, body: form })).json()) as {
        task_id: string
      }
      await killWhoReads(client, id, workers)
      await client.job(id).result({ timeoutMs: 180_000 })
      const document = (await (await fetch(`${url}/elab_result/${id}`, { headers })).json()) as { text: string }
      assert.match(document.text, /best of times/)
      assert.equal(workers.size, 1)

      await client.models.add({
        file: new Blob([convolutional() as Uint8Array<ArrayBuffer>]),
        manifest: convolutionalManifest(),
      })
      const image = await sharp({ create: { width: 20, height: 20, channels: 3, background: 'red' } })
        .png()
        .toBuffer()
      const inputs = { model: 'shapes', images: [{ base64: image.toString('base64') }] }
      const job = await client.submit('models.predict', inputs)
      const answer = (await job.result({ timeoutMs: 120_000 })) as { predictions: unknown[] }
      const atOnce = await client.models.predict('shapes', { images: [new Blob([image as Uint8Array<ArrayBuffer>])] })
      assert.deepEqual(answer.predictions, atOnce.predictions)
    } finally {
      for (const running of [server, ...workers.values()]) running.kill('SIGKILL')
      await Promise.all([server, ...workers.values()].map(({ ended }) => ended))
    }
  })
})

async function firstLine<T>(running: Running, part: string): Promise<T> {
  const written = await running.wrote(part)
  return JSON.parse(written.split('\n').find((line) => line.startsWith('{')) ?? '') as T // sound: what --json writes
}

/** Ends the worker that has begun with the document's page, as the power would. */
async function killWhoReads(
  client: ReturnType<typeof createClient>,
  id: string,
  workers: Map<string, Running>,
): Promise<void> {
  for await (const event of client.job(id).events({ tree: true })) {
    if (event.kind !== 'started') continue
    const { processID } = await client.job(event.jobId).status()
    if (processID !== 'documents.read-page') continue
    const reader = String(event.data.worker)
    const running = workers.get(reader)
    assert.ok(running, `the page is read by ${reader}, which is none of ${[...workers.keys()].join()}`)
    workers.delete(reader)
    running.kill('SIGKILL')
    await running.ended
    return
  }
  assert.fail('no page of the document was begun')
}
