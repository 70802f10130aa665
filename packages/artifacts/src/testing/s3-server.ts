// An S3 server in a process of its own for the tests: moto, which can check signatures and policies, as AWS does.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

export type S3Server = AsyncDisposable & {
  readonly endpoint: string
  readonly env: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string }
  stop(): Promise<void>
}

/** Requests that need no signature: those that make the one user whom all others are made as. */
const UNSIGNED_REQUESTS = 3

/** Where `moto_server` is, or why there is none here. */
export function findS3Server(): { readonly path: string } | { readonly missing: string } {
  const path = process.env.HEADRACE_TEST_MOTO ?? join(import.meta.dirname, '../../../../.ci/python/bin/moto_server')
  if (existsSync(path)) return { path }
  try {
    return { path: execFileSync('which', ['moto_server'], { encoding: 'utf8' }).trim() }
  } catch {
    return { missing: 'no S3 server: pip install "moto[server,s3]" brings one' }
  }
}

/**
 * @param options `isStrict`: only the credentials that it gives are taken. It then refuses a query with a slash in it, as of
 *                a list under a prefix, whose signature it reckons wrongly.
 */
export async function openS3Server(
  buckets: readonly string[],
  options: { readonly isStrict?: boolean } = {},
): Promise<S3Server> {
  const found = findS3Server()
  if ('missing' in found) throw new Error(found.missing)
  const child = spawn(found.path, ['-H', '127.0.0.1', '-p', '0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...(options.isStrict ? { INITIAL_NO_AUTH_ACTION_COUNT: String(UNSIGNED_REQUESTS) } : {}),
    },
  })
  const endpoint = await addressOf(child)
  const env = await createUser(endpoint)
  await createBuckets(endpoint, env, buckets)
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  return { endpoint, env, stop, [Symbol.asyncDispose]: stop }
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (!child.stderr) throw new Error('moto was started without a stderr')
  const lines = createInterface({ input: child.stderr })
  for await (const line of lines) {
    const [, address] = /Running on (http:\/\/[\d.]+:\d+)/.exec(line) ?? []
    if (address === undefined) continue
    child.stderr.resume()
    return address
  }
  throw new Error('moto ended before it listened')
}

async function createUser(endpoint: string): Promise<S3Server['env']> {
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
  await askIam(endpoint, { Action: 'CreateUser', UserName: 'ada' })
  const PolicyDocument = JSON.stringify(policy)
  await askIam(endpoint, { Action: 'PutUserPolicy', UserName: 'ada', PolicyName: 's3', PolicyDocument })
  const answer = await askIam(endpoint, { Action: 'CreateAccessKey', UserName: 'ada' })
  const textOf = (tag: string) => new RegExp(`<${tag}>([^<]+)<`).exec(answer)?.[1] ?? ''
  return { AWS_ACCESS_KEY_ID: textOf('AccessKeyId'), AWS_SECRET_ACCESS_KEY: textOf('SecretAccessKey') }
}

async function askIam(endpoint: string, parameters: Record<string, string>): Promise<string> {
  const credential = 'Credential=none/20300101/us-east-1/iam/aws4_request'
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none` },
    body: new URLSearchParams({ Version: '2010-05-08', ...parameters }),
  })
  return response.text()
}

async function createBuckets(endpoint: string, env: S3Server['env'], buckets: readonly string[]): Promise<void> {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY }
  const client = new S3Client({ region: 'us-east-1', endpoint, forcePathStyle: true, credentials })
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }))
  client.destroy()
}
