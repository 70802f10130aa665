// A server with the documents app and a worker, for tests in a browser: serve-documents.ts DASHBOARD_DIR [DIR] [PAGE_MS].
// It says its login URL in its first line, and ends when its input does.
import { Documents } from './open-documents.ts'

const [dashboardDir = '', dir, pageMs] = process.argv.slice(2)
const documents = await Documents.open({
  dashboardDir,
  ...(dir && { dir }),
  ...(pageMs && { limits: { pageMs: Number(pageMs) } }),
})
await documents.server.listen({ port: 0 })
console.log(await documents.server.loginUrl(), documents.dir)
for await (const _ of process.stdin);
await (dir ? documents.close() : documents[Symbol.asyncDispose]())
process.exit()
